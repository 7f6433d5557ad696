from collections.abc import Sequence
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils
from mmengine.logging import print_log

from mmrvos.registry import METRICS

from ..moving_shapes_ceilings import STATIC3, ceilings, table
from .base import ground_truth
from .video_metrics import VideoMetric

_MEASURES = ('J&F', 'J', 'F', 'hit')


@METRICS.register_module()
class MovingShapesMetric(VideoMetric):
    """Moving Shapes: J, F and the hit rate, with the ceilings beside.

    A hit is a video in which the predicted masks cover more pixels of the
    target than of any other object. All numbers come in total, per
    ``type_id``, for short and long sentences, and as ``static3``, the mean
    over appearance, position and relation, which one frame can answer.

    Args:
        data_root: the tree that is evaluated, for the ceilings; None prints
            none.
        kwargs: of :class:`VideoMetric`.
    """

    default_prefix = 'shapes'
    headline = _MEASURES

    def __init__(self, *, data_root: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_root = data_root

    def score(self, sample: dict) -> list[dict]:
        records = super().score(sample)
        covered = self._covered(sample)
        for record, obj_ids, pixels in zip(
                records, sample['obj_ids'], covered, strict=True):
            target, = obj_ids
            others = np.delete(pixels, int(target))
            record['hit'] = bool(pixels[int(target)] > others.max())
        return records

    def _covered(self, sample: dict) -> np.ndarray:
        """(E, objects + 1) pixels of each object under each prediction.

        Index 0, the background, is left at zero.
        """
        source = ground_truth(sample, type(self).__name__)
        rles = sample['pred']['masks']
        pixels = np.zeros((len(rles), 256), dtype=np.int64)
        for t in range(len(sample['frame_names'])):
            labels = source.label_map(t)
            for e, frames in enumerate(rles):
                mask = mask_utils.decode(frames[t]).astype(bool)
                pixels[e] += np.bincount(labels[mask], minlength=256)
        pixels[:, 0] = 0
        return pixels

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        hits = 100 * float(np.mean([r['hit'] for r in records]))
        return {**super().summarise(records), 'hit': hits}

    def compute_metrics(self, results: list[list[dict]]) -> dict[str, float]:
        summary = super().compute_metrics(results)
        if all(f'J/{name}' in summary for name in STATIC3):
            for key in _MEASURES:
                summary[f'{key}/static3'] = float(np.mean(
                    [summary[f'{key}/{name}'] for name in STATIC3]))
        columns = {'this model': _by_split(summary)}
        if self.data_root is not None:
            columns.update(ceilings(str(self.data_root)))
        print_log('Moving Shapes\n' + table(columns), logger='current')
        return summary


def _by_split(summary: dict[str, float]) -> dict[str, dict[str, float]]:
    """{'J/mixed': 1.0, 'J': 2.0} to {'mixed': {'J': 1.0}, 'total': ...}."""
    out: dict[str, dict[str, float]] = {}
    for name, value in summary.items():
        key, _, split = name.partition('/')
        if key in _MEASURES:
            out.setdefault(split or 'total', {})[key] = value
    return out
