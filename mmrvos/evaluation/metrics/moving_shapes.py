from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmrvos.registry import METRICS

from ..moving_shapes_ceilings import STATIC3, ceilings, scenes_file, table
from .base import ground_truth
from .video_metrics import VideoMetric

_MEASURES = ('J&F', 'J', 'F', 'hit')


@METRICS.register_module()
class MovingShapesMetric(VideoMetric):
    """Moving Shapes: J, F and the hit rate, printed beside the ceilings.

    A hit is an expression whose predicted masks cover more pixels of the
    target than of any other object, summed over the video. All numbers are
    given in total, per ``type_id``, for short and long sentences, and as
    ``static3``, the mean over appearance, position and relation: the types
    that a single frame is enough for.

    Args:
        data_root: folder of the dataset, from which the ceilings are
            computed; None prints no ceilings.
        kwargs: of :class:`VideoMetric`.
    """

    default_prefix = 'shapes'
    headline = _MEASURES

    def __init__(self, *, data_root: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_root = data_root

    @property
    def dataset_meta(self) -> dict | None:
        """As in MMEngine, which sets it before the first iteration."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        if self.data_root is not None:
            scenes_file(str(self.data_root))  # a wrong folder is found now
        self._dataset_meta = dataset_meta

    def score(self, sample: dict) -> list[dict | None]:
        source = ground_truth(sample, type(self).__name__)
        # (E, labels): pixels of each object under each prediction
        covered = np.zeros((len(sample['obj_ids']), 256), dtype=np.int64)

        def count(e: int, t: int, pred: np.ndarray,
                  target: np.ndarray) -> None:
            labels = source.label_map(t)[pred != 0]
            covered[e] += np.bincount(labels, minlength=256)

        records = self.score_frames(sample, count)
        covered[:, 0] = 0  # the background is no object
        for record, obj_ids, pixels in zip(
                records, sample['obj_ids'], covered, strict=True):
            target, = obj_ids
            others = np.delete(pixels, int(target))
            record['hit'] = bool(pixels[int(target)] > others.max())
        return records

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
