"""Benchmarks whose unit is the mask of one expression in one video."""
import json
from collections.abc import Sequence
from typing import Any

import pycocotools.mask as mask_utils

from mmrvos.registry import METRICS

from ..functional import (
    BOUND_TH,
    precision_summary,
    region_contour_summary,
    robustness,
    span_summary,
    stability_summary,
    target_summary,
)
from ..video_scores import score_video
from .base import ExpressionMetric, ground_truth

_SUMMARIES = dict(
    precision=precision_summary,
    stability=stability_summary,
    spans=span_summary,
    target=target_summary)


class VideoMetric(ExpressionMetric):
    """J and F of every expression: the mean over its frames, then over
    expressions.

    Args:
        extras: further measures: 'precision' (Precision@K, both readings),
            'stability' (variance over frames), 'spans' (tIoU and vIoU),
            'target' (whether the existence of a target is told).
        bound_th: tolerance of F, share of the frame's diagonal.
        kwargs: of :class:`ExpressionMetric`.
    """

    headline = ('J&F', 'J', 'F')

    def __init__(self,
                 *,
                 extras: Sequence[str] = (),
                 bound_th: float = BOUND_TH,
                 **kwargs: Any) -> None:
        unknown = set(extras) - set(_SUMMARIES)
        if unknown:
            raise ValueError(
                f'{type(self).__name__} got extras={list(extras)}, expected '
                f'some of {sorted(_SUMMARIES)}')
        super().__init__(**kwargs)
        self.extras = tuple(extras)
        self.bound_th = bound_th

    def score(self, sample: dict) -> list[dict]:
        rles = sample['pred']['masks']

        def read_pred(e: int, t: int):
            return mask_utils.decode(rles[e][t])

        try:
            return score_video(
                sample['obj_ids'],
                ground_truth(sample, type(self).__name__),
                len(sample['frame_names']),
                read_pred,
                valid_span=sample.get('valid_span'),
                bound_th=self.bound_th)
        except ValueError as error:
            raise ValueError(
                f"video {sample['video_id']}: {error}") from error

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        summary = region_contour_summary(records)
        for name in self.extras:
            summary.update(_SUMMARIES[name](records))
        return summary


@METRICS.register_module()
class RefYoutubeVOSMetric(VideoMetric):
    """Ref-YouTube-VOS, and data sets evaluated the same way.

    The rule of the benchmark's server was never published. This is the rule of
    MeViS, made by the same field and public: J and F averaged over an
    expression's frames, then over expressions; J&F is their mean.
    """

    default_prefix = 'ytvos'

    def __init__(self,
                 *,
                 extras: Sequence[str] = ('precision', 'stability'),
                 **kwargs: Any) -> None:
        super().__init__(extras=extras, **kwargs)


@METRICS.register_module()
class MeViSMetric(VideoMetric):
    """MeViS: the target is the union of an expression's objects.

    A video without predictions counts 0 in the official script; in a run of
    MMEngine every video has predictions, in ``eval_masks.py`` the rule holds.
    """

    default_prefix = 'mevis'


@METRICS.register_module()
class LongRVOSMetric(VideoMetric):
    """Long-RVOS: J and F, and tIoU and vIoU, in total and per type."""

    default_prefix = 'long_rvos'
    headline = ('J&F', 'J', 'F', 'tIoU', 'vIoU')

    def __init__(self, *, extras: Sequence[str] = ('spans', ),
                 **kwargs: Any) -> None:
        super().__init__(extras=extras, **kwargs)


@METRICS.register_module()
class ReVOSMetric(VideoMetric):
    """ReVOS, where some expressions have no target.

    J and F leave out the expressions without an object (``obj_ids`` empty) and
    are the mean of the types' values, as the benchmark averages referring and
    reasoning; where no types are marked, the mean over expressions. ``A``,
    ``T_acc`` and ``N_acc`` tell how often the existence of a target is told,
    ``R`` how little of the foreground is marked where there is no target.
    The formulas of A and R are our reading (docs/evaluation.md).

    Args:
        foreground_file: JSON, {video id: [COCO RLE or null, one a frame]}, the
            foreground of every video; without it there is no R.
    """

    default_prefix = 'revos'
    headline = ('J&F', 'J', 'F', 'A', 'R')

    def __init__(self,
                 *,
                 foreground_file: str | None = None,
                 extras: Sequence[str] = ('target', ),
                 **kwargs: Any) -> None:
        super().__init__(extras=extras, **kwargs)
        self.foreground_areas: dict[str, int] | None = None
        if foreground_file is not None:
            with open(foreground_file, encoding='utf-8') as file:
                self.foreground_areas = {
                    video: sum(int(mask_utils.area(rle))
                               for rle in rles if rle is not None)
                    for video, rles in json.load(file).items()
                }

    def score(self, sample: dict) -> list[dict]:
        records = super().score(sample)
        for record, obj_ids in zip(records, sample['obj_ids'], strict=True):
            record['has_target'] = bool(obj_ids)
            if self.foreground_areas is None or obj_ids:
                continue
            video = sample['video_id']
            if video not in self.foreground_areas:
                raise ValueError(
                    f'foreground_file does not know video {video!r}: it must '
                    'hold all videos of the data set')
            record['R'] = robustness(
                record['pred_area'].sum(), self.foreground_areas[video])
        return records

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        targets = [r for r in records if r['has_target']]
        summary = {}
        if targets:
            types = sorted({r['type_id'] for r in targets}, key=str)
            parts = [
                region_contour_summary(
                    [r for r in targets if r['type_id'] == type_id])
                for type_id in types
            ]
            summary = {
                key: sum(part[key] for part in parts) / len(parts)
                for key in ('J&F', 'J', 'F')
            }
        for name in self.extras:
            summary.update(_SUMMARIES[name](records))
        return summary
