"""Measures of a sequence from the values of its frames."""
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

PRECISION_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


class SequenceStatistics(NamedTuple):
    mean: float
    recall: float
    decay: float


def sequence_statistics(values: Sequence[float]) -> SequenceStatistics:
    """Compute mean, recall and decay as the DAVIS benchmark does.

    Recall is the share of frames above 0.5; NaN is not above. Decay is the
    mean of the first quarter minus the mean of the last quarter; adjacent
    quarters share one frame. The official code keeps the cut points in 8 bits,
    which is wrong beyond 255 frames; here they are integers.

    Args:
        values: (T,) values of the frames. NaN is left out of means.

    Raises:
        ValueError: there is no frame.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise ValueError(
            f'values must be (T,) with T > 0, got shape {values.shape}: leave '
            'out a sequence without frames')
    # The shift rounds halves up; numpy alone rounds them to even numbers.
    cuts = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(int) - 1
    first = values[cuts[0]:cuts[1] + 1]
    last = values[cuts[3]:cuts[4] + 1]
    return SequenceStatistics(
        mean=_nan_mean(values),
        recall=float(np.mean(values > 0.5)),
        decay=_nan_mean(first) - _nan_mean(last))


def _nan_mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float('nan')


def precision_at(
    values: Iterable[float],
    thresholds: Sequence[float] = PRECISION_THRESHOLDS
) -> dict[float, float]:
    """Compute the share of values above (not at) each threshold.

    The unit of the values decides what is measured: the mean J of expressions
    gives Precision@K of MLRL, the J of single frames its other reading, the
    IoU of annotated frames Precision@K of A2D-Sentences.

    Raises:
        ValueError: there is no value.
    """
    values = np.asarray(list(values), dtype=np.float64)
    if not values.size:
        raise ValueError('precision needs at least one value, got none')
    return {k: float(np.mean(values > k)) for k in thresholds}


def temporal_variance(values: Sequence[float]) -> float:
    """Compute the variance over the frames of one sequence (SOC, 4.4).

    SOC plots the variance of IoU and of J&F between the frames of a video, but
    publishes neither code nor formula. This is the population variance
    (divided by T); lower is steadier.

    Args:
        values: (T,) values in [0, 1]. T = 0 gives NaN.
    """
    values = np.asarray(values, dtype=np.float64)
    return float(values.var()) if values.size else float('nan')


def temporal_iou(pred: Sequence[bool], gt: Sequence[bool]) -> float:
    """Compute tIoU of Long-RVOS, which compares when a mask is present.

    Args:
        pred: (T,) True where the prediction is not empty.
        gt: (T,) True where the ground truth is not empty.

    Returns:
        Number of frames in both over number of frames in either; 1 if there is
        no frame in either.
    """
    pred, gt = np.asarray(pred, dtype=bool), np.asarray(gt, dtype=bool)
    either = np.count_nonzero(pred | gt)
    return np.count_nonzero(pred & gt) / either if either else 1.0


def video_iou(j: Sequence[float], pred: Sequence[bool],
              gt: Sequence[bool]) -> float:
    """Compute vIoU of Long-RVOS.

    Args:
        j: (T,) region similarity.
        pred, gt: as in :func:`temporal_iou`.

    Returns:
        Sum of J over the frames where both have a mask, over the number of
        frames where either has one; 1 if there is no frame in either.
    """
    j = np.asarray(j, dtype=np.float64)
    pred, gt = np.asarray(pred, dtype=bool), np.asarray(gt, dtype=bool)
    either = np.count_nonzero(pred | gt)
    return float(j[pred & gt].sum() / either) if either else 1.0
