"""From the values of a sequence's frames to one number."""
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

PRECISION_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


class SequenceStatistics(NamedTuple):
    mean: float
    recall: float
    decay: float


def sequence_statistics(values: Sequence[float]) -> SequenceStatistics:
    """Mean, recall and decay of the DAVIS benchmark.

    Recall is the share of frames above 0.5; a frame that is NaN is not above.
    Decay is the mean of the first quarter minus the mean of the last; the
    quarters share the frames where they meet. The official code keeps the cut
    points in 8 bits, which breaks beyond 255 frames; here they are integers.

    Args:
        values: (T,) values of the frames. NaN frames have no part in means.

    Raises:
        ValueError: there is no frame.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise ValueError(
            f'values must be (T,) with T > 0, got shape {values.shape}: leave '
            'out a sequence without frames')
    # the shift makes halves go up, where numpy rounds to the even neighbour
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
    """Share of values above (not at) each threshold.

    What a value belongs to decides what is measured: the mean J of a sample
    gives MLRL's Precision@K, the J of single frames its other reading, the
    IoU of an annotated frame that of A2D-Sentences.

    Raises:
        ValueError: there is no value.
    """
    values = np.asarray(list(values), dtype=np.float64)
    if not values.size:
        raise ValueError('precision needs at least one value, got none')
    return {k: float(np.mean(values > k)) for k in thresholds}


def temporal_variance(values: Sequence[float]) -> float:
    """Variance over the frames of one sequence (SOC, section 4.4).

    SOC plots the variance of IoU and of J&F between the frames of a video and
    publishes neither code nor formula. Ours is the population variance
    (divided by T); lower is steadier.

    Args:
        values: (T,) values in [0, 1]; none gives NaN.
    """
    values = np.asarray(values, dtype=np.float64)
    return float(values.var()) if values.size else float('nan')


def temporal_iou(pred: Sequence[bool], gt: Sequence[bool]) -> float:
    """tIoU of Long-RVOS: do the frames with a mask agree?

    Args:
        pred: (T,) whether a frame's prediction is not empty.
        gt: (T,) the same of the ground truth.

    Returns:
        Frames in both over frames in either; 1 if there is none in either.
    """
    pred, gt = np.asarray(pred, dtype=bool), np.asarray(gt, dtype=bool)
    either = np.count_nonzero(pred | gt)
    return np.count_nonzero(pred & gt) / either if either else 1.0


def video_iou(j: Sequence[float], pred: Sequence[bool],
              gt: Sequence[bool]) -> float:
    """vIoU of Long-RVOS: J summed over the frames where both have a mask, over
    the number of frames where either has one.

    Args:
        j: (T,) region similarity.
        pred, gt: as in :func:`temporal_iou`; none in either gives 1.
    """
    j = np.asarray(j, dtype=np.float64)
    pred, gt = np.asarray(pred, dtype=bool), np.asarray(gt, dtype=bool)
    either = np.count_nonzero(pred | gt)
    return float(j[pred & gt].sum() / either) if either else 1.0
