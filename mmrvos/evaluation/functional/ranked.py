"""Measures of single annotated frames (A2D-, JHMDB-Sentences, RefCOCO)."""
import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pycocotools.mask as mask_utils
from pycocotools.cocoeval import COCOeval

from mmrvos.utils import mask_areas

from .sequence import PRECISION_THRESHOLDS, precision_at

COCO_MEASURES = ('mAP', 'AP50', 'AP75', 'AP_s', 'AP_m', 'AP_l', 'AR_1',
                 'AR_10', 'AR_100', 'AR_s', 'AR_m', 'AR_l')


@dataclass(frozen=True)  # MMEngine would make a tuple of a NamedTuple
class RankedSample:
    """One (annotated frame, sentence) with its Q candidate masks."""
    scores: np.ndarray  # (Q,)
    ious: np.ndarray  # (Q,) with the true mask; 0 where both are empty
    intersections: np.ndarray  # (Q,) pixels
    areas: np.ndarray  # (Q,) pixels
    gt_area: int


def rank_masks(rles: Sequence[dict], scores: Sequence[float],
               gt: dict) -> RankedSample:
    """Compare the candidate masks of a sample with the true mask.

    Args:
        rles: Q COCO RLEs.
        scores: (Q,).
        gt: COCO RLE of the true mask.

    Raises:
        ValueError: no candidate, another number of scores, a score that is
            not finite, or masks of another size.
    """
    scores = np.asarray(scores, dtype=np.float64)
    rles = list(rles)
    if not rles or scores.shape != (len(rles), ):
        raise ValueError(
            f'{len(rles)} masks with scores of shape {scores.shape}: expected '
            'at least one mask and one score per mask')
    if not np.isfinite(scores).all():
        raise ValueError(
            f'scores {scores.tolist()} are not all finite: such masks cannot '
            'be ranked')
    sizes = {tuple(rle['size']) for rle in rles}
    if sizes != {tuple(gt['size'])}:
        raise ValueError(
            f'masks of size {sorted(sizes)}, the ground truth has '
            f"{tuple(gt['size'])}: write predictions at the original size")
    return RankedSample(
        scores=scores,
        ious=mask_utils.iou(rles, [gt], [0])[:, 0],
        intersections=mask_areas([
            mask_utils.merge([rle, gt], intersect=True) for rle in rles
        ]),
        areas=mask_areas(rles),
        gt_area=int(mask_utils.area(gt)))


def best_candidate(scores: np.ndarray) -> int:
    """Index of the highest score, the last one on a tie: the official code
    sorts stably and takes the end."""
    return len(scores) - 1 - int(np.argmax(scores[::-1]))


def smoothed_iou(intersection: np.ndarray, union: np.ndarray) -> np.ndarray:
    """Compute (I + 1e-6) / (U + 1e-6) in float32, as the official code does.

    Two empty masks give 1. Whether an IoU of 1/2 is above 0.5 depends on the
    rounding, so the precision is part of the measure.
    """
    small = np.float32(1e-6)
    return ((np.asarray(intersection, np.float32) + small) /
            (np.asarray(union, np.float32) + small))


def iou_measures(
    intersections: Sequence[float],
    unions: Sequence[float],
    ious: Sequence[float],
    thresholds: Sequence[float] = PRECISION_THRESHOLDS
) -> dict[str, float]:
    """Compute P@K, overall IoU and mean IoU of N samples.

    Args:
        intersections, unions: (N,) pixels. The overall IoU is the ratio of
            their sums, so large objects weigh more.
        ious: (N,) IoU of each sample, which may be smoothed.

    Returns:
        ``P@K`` for each threshold, ``oIoU``, ``mIoU``, in [0, 1].
    """
    precision = precision_at(ious, thresholds)
    total = float(np.sum(unions))
    return {
        **{f'P@{k:g}': value for k, value in precision.items()},
        'oIoU': float(np.sum(intersections)) / total if total else 1.0,
        'mIoU': float(np.mean(np.asarray(ious, dtype=np.float64))),
    }


def chosen_iou_measures(
    samples: Sequence[RankedSample],
    thresholds: Sequence[float] = PRECISION_THRESHOLDS
) -> dict[str, float]:
    """:func:`iou_measures` of the mask with the highest score per sample."""
    chosen = np.array([(s.intersections[i], s.areas[i] + s.gt_area)
                       for s in samples
                       for i in [best_candidate(s.scores)]], dtype=np.int64)
    intersections = chosen[:, 0]
    unions = chosen[:, 1] - intersections
    return iou_measures(intersections, unions,
                        smoothed_iou(intersections, unions), thresholds)


class _NumbersEval(COCOeval):
    """COCOeval on IoUs that are already known: the masks of a test set need
    not be kept."""

    def __init__(self, samples: Sequence[RankedSample]) -> None:
        super().__init__(iouType='segm')
        self.samples = samples
        self.params.imgIds = list(range(len(samples)))
        self.params.catIds = [1]
        self.params.useCats = 0

    def _prepare(self) -> None:
        self._gts, self._dts = {}, {}
        for index, sample in enumerate(self.samples):
            # Ids start at 1: COCOeval takes a match with id 0 for no match.
            self._gts[index, 1] = [
                dict(id=index + 1, area=sample.gt_area, iscrowd=0, ignore=0)]
            self._dts[index, 1] = [
                dict(id=k + 1, score=float(score), area=float(area))
                for k, (score, area) in enumerate(
                    zip(sample.scores, sample.areas, strict=True))]
        self.evalImgs, self.eval = {}, {}

    def computeIoU(self, imgId: int, catId: int) -> np.ndarray:
        sample = self.samples[imgId]
        order = np.argsort(-sample.scores, kind='mergesort')
        return sample.ious[order[:self.params.maxDets[-1]], None]


def coco_measures(samples: Sequence[RankedSample]) -> dict[str, float]:
    """Compute the twelve COCO numbers; one image per sample, no categories.

    Returns:
        ``COCO_MEASURES`` in [0, 1]; -1 where no object has the size.
    """
    evaluation = _NumbersEval(samples)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(COCO_MEASURES, map(float, evaluation.stats), strict=True))
