"""Benchmarks whose unit is the mask of one expression in one video."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmrvos.datasets.yourvos import STEP, frame_number
from mmrvos.registry import METRICS

from ..functional import (
    BOUND_TH,
    precision_summary,
    region_contour_summary,
    span_summary,
    stability_summary,
    target_summary,
)
from ..missing import Effect, MissingRule
from ..video_scores import OnFrame, as_mask, score_video
from .base import ExpressionMetric, ground_truth

_SUMMARIES = dict(
    precision=precision_summary,
    stability=stability_summary,
    spans=span_summary,
    target=target_summary)


class VideoMetric(ExpressionMetric):
    """J and F of every expression: the mean over its frames, then over
    expressions.

    ``pred.masks`` of a sample holds, per expression and frame, a COCO RLE, an
    (H, W) array, None for a missing mask, or a
    :class:`~mmrvos.evaluation.missing.Fault`.

    Args:
        extras: further measures: 'precision' (Precision@K, both readings),
            'stability' (variance over frames), 'spans' (tIoU and vIoU),
            'target' (T_acc and N_acc: whether masks exist exactly where there
            is a target; always reported where some expression has none).
        bound_th: tolerance of F, as a share of the frame's diagonal.
        kwargs: of :class:`ExpressionMetric`.
    """

    headline = ('J&F', 'J', 'F')
    #: key of the masks of an expression in JSON predictions
    prediction_key = 'prediction_masks'

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

    def score(self, sample: dict) -> list[dict | None]:
        return self.score_frames(sample)

    def score_frames(self,
                     sample: dict,
                     on_frame: OnFrame | None = None) -> list[dict | None]:
        """Score a sample frame by frame, see :func:`score_video`.

        Raises:
            ValueError: no ground truth, or a mask of another size.
        """
        masks = sample['pred']['masks']
        try:
            return score_video(
                sample['obj_ids'],
                ground_truth(sample, type(self).__name__),
                len(sample['frame_names']),
                lambda e, t: as_mask(masks[e][t]),
                valid_span=sample.get('valid_span'),
                bound_th=self.bound_th,
                missing=self.missing_rule,
                on_frame=on_frame)
        except ValueError as error:
            raise ValueError(
                f"video {sample['video_id']}: {error}") from error

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        return {**region_contour_summary(records), **self.summarise_extras(
            records)}

    def summarise_extras(self, records: Sequence[dict]) -> dict[str, float]:
        """The numbers of the ``extras``, and of 'target' where expressions
        without a target exist."""
        summary: dict[str, float] = {}
        for name in self.extras:
            summary.update(_SUMMARIES[name](records))
        if 'target' not in self.extras and not all(
                r['gt_present'].any() for r in records):
            summary.update(target_summary(records))
        return summary


@METRICS.register_module()
class RefYoutubeVOSMetric(VideoMetric):
    """Ref-YouTube-VOS, and datasets evaluated the same way.

    The rule of the benchmark's server was never published. This metric
    averages J and F over the frames of an expression, then over expressions;
    J&F is their mean. MeViS, whose code is public, does the same.
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

    Source: henghuiding/MeViS, tools/eval_mevis.py. A process of the script
    ends at a missing file or a wrong size, and the expression is in no
    average. The script reads the size from ``00000.png``, even if no frame has
    this name.
    """

    default_prefix = 'mevis'
    official_missing = MissingRule(
        expression=Effect.LEFT_OUT,
        frame=Effect.LEFT_OUT,
        unusable=Effect.LEFT_OUT,
        needed_frame='00000')


@METRICS.register_module()
class InterRVOSMetric(VideoMetric):
    """InterRVOS: the masks of the objects that act.

    Source: cvlab-kaist/InterRVOS, ReVIOSa/tools/eval/eval_interrvos.py. The
    script skips a video without predictions. A process of it ends at an
    expression without predictions or a wrong size, and the expression is in
    no average.
    """

    default_prefix = 'interrvos'
    prediction_key = 'prediction_masks_act'
    official_missing = MissingRule(
        video=Effect.LEFT_OUT,
        expression=Effect.LEFT_OUT,
        frame=Effect.LEFT_OUT,
        unusable=Effect.LEFT_OUT)


@METRICS.register_module()
class InterRVOSTargetMetric(InterRVOSMetric):
    """InterRVOS: the masks of the objects that are acted upon.

    Source: cvlab-kaist/InterRVOS, ReVIOSa/tools/eval/eval_interrvos_target.py.
    Use with ``InterRVOSDataset(role='target')``.
    """

    default_prefix = 'interrvos_target'
    prediction_key = 'prediction_masks_tar'


@METRICS.register_module()
class LongRVOSMetric(VideoMetric):
    """Long-RVOS: J, F, tIoU and vIoU, in total and per type.

    Source: iSEE-Laboratory/Long_RVOS, eval/eval_long_rvos. The total is the
    mean over all expressions of the three types; other types have a row of
    their own and are not in the total.
    """

    TYPES = ('static', 'dynamic', 'hybrid')
    default_prefix = 'long_rvos'
    headline = ('J&F', 'J', 'F', 'tIoU', 'vIoU')
    official_missing = MissingRule(
        expression=Effect.LEFT_OUT,
        frame=Effect.EMPTY_FRAME,
        first_frame=Effect.LEFT_OUT,
        unusable=Effect.LEFT_OUT)

    def __init__(self, *, extras: Sequence[str] = ('spans', ),
                 **kwargs: Any) -> None:
        super().__init__(extras=extras, **kwargs)

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        counted = [r for r in records if r['type_id'] in self.TYPES]
        return super().summarise(counted or records)


@METRICS.register_module()
class YoURVOSMetric(VideoMetric):
    """YoURVOS: J and F over the frames in which a mask exists, and tIoU.

    Source: gaomingqi/YoURVOS, evaluation/vos-benchmark (benchmark.py with
    ``--do_not_skip_first_and_last_frame``, tiou.py). A frame counts for J and
    F if the target or the prediction has a mask in it. Expressions whose
    target is in no frame are not in J and F.

    tIoU compares frames with a predicted mask with the spans of the
    expression: those inside a span, over those in either, where a span has
    every fifth frame. It is 0 if neither has a frame.

    With ``missing='official'`` a missing frame is not counted, and a missing
    expression or video is left out. The official tIoU stops at them; here they
    are left out of it.
    """

    default_prefix = 'yourvos'
    headline = ('J&F', 'J', 'F', 'tIoU')
    official_missing = MissingRule(
        video=Effect.LEFT_OUT,
        expression=Effect.LEFT_OUT,
        frame=Effect.SKIPPED_FRAME,
        unusable=Effect.LEFT_OUT)

    def score(self, sample: dict) -> list[dict | None]:
        skips = self.missing_rule.frame is Effect.SKIPPED_FRAME
        seen = np.full(
            (len(sample['exp_ids']), len(sample['frame_names'])), not skips)

        def see(e: int, t: int, pred: np.ndarray, target: np.ndarray) -> None:
            seen[e, t] = True

        records = self.score_frames(sample, see)
        numbers = [frame_number(name, f'video {sample["video_id"]}')
                   for name in sample['frame_names']]
        spans = sample.get('spans') or [None] * len(records)
        for record, frames, given in zip(records, seen, spans, strict=True):
            if record is None:
                continue
            present = record['gt_present'] | record['pred_present']
            record['counted'] = frames & present
            record['has_target'] = bool((frames & record['gt_present']).any())
            record['tIoU'] = 0. if record['failed'] else span_iou(
                record, numbers, given)
        return records

    def summarise(self, records: Sequence[dict]) -> dict[str, float]:
        summary = {
            name: _percent([
                r[name][r['counted']].mean() for r in records
                if r['has_target']
            ]) for name in ('J', 'F')
        }
        return {
            'J&F': (summary['J'] + summary['F']) / 2,
            **summary,
            'tIoU': _percent([r['tIoU'] for r in records]),
            **self.summarise_extras(records)
        }


def span_iou(record: dict, numbers: Sequence[int],
             spans: Sequence[tuple[int, int]] | None) -> float:
    """Compute tIoU of YoURVOS for one expression.

    Args:
        record: with ``gt_present`` and ``pred_present``, (T,) each.
        numbers: of the T frames.
        spans: (first, last) number of frame, each; None takes the frames
            whose ``gt_present`` is True.

    Returns:
        A number in [0, 1].
    """

    def chosen(present: np.ndarray) -> set[int]:
        return {n for n, p in zip(numbers, present, strict=True) if p}

    if spans is None:
        spans = [(n, n) for n in sorted(chosen(record['gt_present']))]
    expected = {n for first, last in spans
                for n in range(first, last + 1, STEP)}
    marked = chosen(record['pred_present'])
    inside = {n for n in marked
              if any(first <= n <= last for first, last in spans)}
    either = marked | expected
    return len(inside) / len(either) if either else 0.


def _percent(values: Sequence[float]) -> float:
    """Mean in percent; NaN without values."""
    return 100 * float(np.mean(values)) if values else float('nan')
