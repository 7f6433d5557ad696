from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.registry import METRICS

from ..functional import BOUND_TH, PROTOCOLS, LabelMapSequence, davis_totals
from ..functional.label_map_sequence import VOID
from ..missing import Fault
from .base import ExpressionMetric, ground_truth


@METRICS.register_module()
class RefDAVISMetric(ExpressionMetric):
    """Ref-DAVIS17: a sample is a video with the expressions of one annotator,
    one per object; their masks together are a label map.

    For every annotator J and F are averaged over the objects of all videos,
    then over annotators (the official script only prints the four tables).

    ``pred`` of a sample holds ``masks``, one COCO RLE per expression and frame
    without overlaps, or ``label_maps``, an (H, W) array per frame or a
    :class:`~mmrvos.evaluation.missing.Fault`, which counts 0.

    Args:
        protocol: 'unsupervised' (the official script's, and the published
            numbers': predicted objects are matched to the true ones, so
            swapped expressions lose nothing), 'fixed' (expression k against
            object k) or 'semi-supervised'; see
            :mod:`mmrvos.evaluation.functional.label_map_sequence`.
        bound_th: tolerance of F.
        kwargs: of :class:`ExpressionMetric`.
    """

    PROTOCOLS = PROTOCOLS
    default_prefix = 'davis17'
    headline = ('J&F', 'J', 'F')

    def __init__(self,
                 *,
                 protocol: str = 'unsupervised',
                 bound_th: float = BOUND_TH,
                 **kwargs: Any) -> None:
        if protocol not in PROTOCOLS:
            raise ValueError(
                f'RefDAVISMetric got protocol={protocol!r}, expected one of '
                f'{PROTOCOLS}')
        super().__init__(**kwargs)
        self.protocol = protocol
        self.bound_th = bound_th

    def score(self, sample: dict) -> list[dict]:
        source = ground_truth(sample, type(self).__name__)
        ids = [_only_object(sample, e) for e in range(len(sample['exp_ids']))]
        annotator = _annotator(sample)
        # Officially the largest label of the first frame counts the objects.
        seen = [i for i in ids if source.read([str(i)], 0).any()]
        num_objects = max(seen, default=0)
        if not num_objects:
            return [dict(annotator=annotator, object=None) for _ in ids]
        sequence = LabelMapSequence(num_objects, self.protocol, self.bound_th)
        try:
            for t in range(len(sample['frame_names'])):
                gt = _paint([source.read([str(i)], t) for i in ids], ids)
                void = source.void(t)
                if void is not None and void.any():
                    gt[void] = VOID
                sequence.add(
                    self._label_map(sample['pred'], ids, num_objects, t), gt)
        except ValueError as error:
            raise ValueError(
                f"video {sample['video_id']}: {error}") from error
        values = {o.gt_label: o for o in sequence.objects()}
        return [dict(annotator=annotator, object=values.get(i)) for i in ids]

    def _label_map(self, pred: dict, ids: Sequence[int], num_objects: int,
                   t: int) -> np.ndarray | None:
        """The predicted label map of a frame; None if it is missing."""
        if 'label_maps' in pred:
            labels = pred['label_maps'][t]
            return None if isinstance(labels, Fault) else labels
        # An object that is not evaluated may be matched with another one, but
        # the other protocols have no label to compare it with.
        compared = [
            (i, masks[t])
            for i, masks in zip(ids, pred['masks'], strict=True)
            if self.protocol == 'unsupervised' or i <= num_objects
        ]
        return _paint([mask_utils.decode(rle) for _, rle in compared],
                      [i for i, _ in compared])

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        annotators = defaultdict(list)
        for record in records:
            if record['object'] is not None:
                annotators[record['annotator']].append(record['object'])
        tables = [_named(davis_totals(o)) for o in annotators.values()]
        return {
            key: float(np.mean([table[key] for table in tables]))
            for key in (tables[0] if tables else ())
        }


def _named(totals: dict[str, float]) -> dict[str, float]:
    """Percent under the names of the other metrics."""
    return {key.removesuffix('-Mean'): 100 * value
            for key, value in totals.items()}


def _only_object(sample: dict, e: int) -> int:
    obj_ids = sample['obj_ids'][e]
    if len(obj_ids) != 1:
        raise ValueError(
            f"video {sample['video_id']}, expression {sample['exp_ids'][e]}: "
            f'{len(obj_ids)} objects, but on Ref-DAVIS17 an expression is '
            'about one')
    return int(obj_ids[0])


def _annotator(sample: dict) -> int:
    """From the meta information, or from the identifiers, which count
    object * 4 + annotator."""
    if 'annotator' in sample:
        return int(sample['annotator'])
    return int(sample['exp_ids'][0]) % 4


def _paint(masks: Sequence[np.ndarray], labels: Sequence[int]) -> np.ndarray:
    """(H, W) uint8 label map of (H, W) masks of 0 and 1 without overlap."""
    painted = np.zeros(masks[0].shape, dtype=np.uint8)
    covered = 0
    for mask, label in zip(masks, labels, strict=True):
        painted[mask.view(bool)] = label
        covered += np.count_nonzero(mask)
    if covered != np.count_nonzero(painted):
        raise ValueError(
            'the masks of the expressions overlap: on Ref-DAVIS17 they are '
            'merged into one label map, set this in the test_cfg of the model')
    return painted


