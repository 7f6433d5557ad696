"""Benchmarks that annotate single frames."""
from collections.abc import Sequence
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.registry import METRICS

from ..functional import (
    PRECISION_THRESHOLDS,
    RankedSample,
    box_overlap,
    chosen_iou_measures,
    coco_measures,
    enclosing_box,
    iou_measures,
    rank_masks,
    smoothed_iou,
)
from ..missing import Fault
from ..video_scores import as_mask
from .base import ExpressionMetric, ground_truth


def _encode(mask: np.ndarray) -> dict:
    return mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))


def _percent(numbers: dict[str, float]) -> dict[str, float]:
    """Percent, except for COCO's -1 where a measure is undefined."""
    return {key: 100 * value if value >= 0 else value
            for key, value in numbers.items()}


@METRICS.register_module()
class A2DMetric(ExpressionMetric):
    """A2D-Sentences: one annotated frame per (video, instance, sentence).

    mAP ranks all candidate masks (pycocotools, categories ignored); P@K,
    overall IoU and mean IoU take the candidate with the highest score. Only
    IoUs and areas are kept, so memory does not grow with the masks.

    The samples need ``pred.query_masks``, per expression Q RLEs of the frame
    ``valid_index``, and ``pred.query_scores``. None in the place of the RLEs
    counts 0.

    Args:
        thresholds: K of P@K.
        kwargs: of :class:`ExpressionMetric`.
    """

    default_prefix = 'a2d'
    headline = ('mAP', 'oIoU', 'mIoU')

    def __init__(self,
                 *,
                 thresholds: Sequence[float] = PRECISION_THRESHOLDS,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.thresholds = tuple(thresholds)

    def score(self, sample: dict) -> list[dict]:
        source = ground_truth(sample, type(self).__name__)
        frame = sample.get('valid_index', 0)
        pred = sample['pred']
        records = []
        for e, obj_ids in enumerate(sample['obj_ids']):
            truth = _encode(source.read(obj_ids, frame))
            rles = pred['query_masks'][e]
            if rles is None:
                records.append(dict(ranked=_missing_sample(truth)))
                continue
            try:
                ranked = rank_masks(
                    rles, np.asarray(pred['query_scores'][e]), truth)
            except ValueError as error:
                raise ValueError(
                    f"video {sample['video_id']}, expression "
                    f"{sample['exp_ids'][e]}: {error}") from error
            records.append(dict(ranked=ranked))
        return records

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        samples = [r['ranked'] for r in records]
        return _percent({
            **coco_measures(samples),
            **chosen_iou_measures(samples, self.thresholds)
        })


def _missing_sample(truth: dict) -> RankedSample:
    """A sample without candidates: one empty mask of score 0, IoU 0."""
    return RankedSample(
        scores=np.zeros(1),
        ious=np.zeros(1),
        intersections=np.zeros(1, dtype=np.int64),
        areas=np.zeros(1, dtype=np.int64),
        gt_area=int(mask_utils.area(truth)))


@METRICS.register_module()
class JHMDBMetric(A2DMetric):
    """JHMDB-Sentences: as A2D-Sentences, three frames of every video.

    The published numbers are not all on the same frames (docs/evaluation.md).
    """

    default_prefix = 'jhmdb'


@METRICS.register_module()
class RefCOCOMetric(ExpressionMetric):
    """RefCOCO, RefCOCO+ and RefCOCOg: an image is a clip of one frame.

    Masks are measured as on A2D-Sentences, without mAP. Measures of boxes have
    the prefix ``box_``. Boxes are (x1, y1, x2, y2) in pixels of the original
    image. The predicted box is that of the best query (``pred.queries`` among
    ``pred.query_boxes``, (E, N, 4)) if the model predicts boxes, else the box
    that encloses the mask. The true box is that of the meta entry
    ``gt_boxes``, (E, 4), if there is one, else the box that encloses the true
    mask. A missing mask counts 0.

    Args:
        thresholds: K of P@K.
        kwargs: of :class:`ExpressionMetric`.
    """

    default_prefix = 'refcoco'
    headline = ('P@0.5', 'oIoU', 'mIoU', 'box_P@0.5')

    def __init__(self,
                 *,
                 thresholds: Sequence[float] = PRECISION_THRESHOLDS,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.thresholds = tuple(thresholds)

    def score(self, sample: dict) -> list[dict]:
        source = ground_truth(sample, type(self).__name__)
        pred = sample['pred']
        records = []
        for e, obj_ids in enumerate(sample['obj_ids']):
            truth = source.read(obj_ids, 0)
            true_box = (np.asarray(sample['gt_boxes'][e], dtype=float)
                        if 'gt_boxes' in sample else enclosing_box(truth))
            mask = as_mask(pred['masks'][e][0])
            if isinstance(mask, Fault):
                # A union of 1 keeps the IoU at 0 even if the target is empty.
                union = max(float(np.prod(true_box[2:] - true_box[:2])), 1.0)
                records.append(
                    dict(mask=(0, max(np.count_nonzero(truth), 1)),
                         box=(0.0, union)))
                continue
            mask = mask != 0
            if mask.shape != truth.shape:
                raise ValueError(
                    f"image {sample['video_id']}: a predicted mask of size "
                    f'{mask.shape}, the ground truth has {truth.shape}: '
                    'predict at the original size')
            box = enclosing_box(mask)
            if 'query_boxes' in pred:  # the image is the only window
                best = int(pred['queries'][e][0])
                box = np.asarray(pred['query_boxes'][e][best], dtype=float)
            records.append(
                dict(
                    mask=(np.count_nonzero(mask & truth),
                          np.count_nonzero(mask | truth)),
                    box=tuple(map(float, box_overlap(box, true_box)))))
        return records

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        masks = np.array([r['mask'] for r in records], dtype=np.int64).T
        boxes = np.array([r['box'] for r in records]).T
        # two boxes without area agree, as two empty masks do
        ious = np.divide(
            *boxes, out=np.ones(len(records)), where=boxes[1] > 0)
        box_measures = iou_measures(*boxes, ious, self.thresholds)
        return _percent({
            **iou_measures(*masks, smoothed_iou(*masks), self.thresholds),
            **{f'box_{key}': value for key, value in box_measures.items()}
        })
