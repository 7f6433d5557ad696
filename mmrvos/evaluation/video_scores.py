"""J and F of the expressions of a video, one frame at a time."""
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from mmrvos.structures import MaskSource

from .functional import BOUND_TH, Silhouette, contour, region
from .missing import Effect, Fault, MissingRule

ReadPrediction = Callable[[int, int], np.ndarray | Fault]
OnFrame = Callable[[int, int, np.ndarray, np.ndarray], None]


def as_mask(pred: Any) -> np.ndarray | Fault:
    """Decode one predicted mask.

    Args:
        pred: COCO RLE; an array; :class:`Fault`; None for a missing one.

    Returns:
        (H, W) bool for an RLE, an array as it is, or the fault.
    """
    if pred is None:
        return Fault.MISSING
    if isinstance(pred, dict):
        return mask_utils.decode(pred).astype(bool)
    return pred


def score_video(targets: Sequence[Sequence[str]],
                mask_source: MaskSource,
                num_frames: int,
                read_pred: ReadPrediction,
                *,
                valid_span: tuple[int, int] | None = None,
                bound_th: float = BOUND_TH,
                missing: MissingRule = MissingRule(),  # noqa: B008  frozen
                on_frame: OnFrame | None = None) -> list[dict | None]:
    """Score all expressions of a video.

    The ground truth of a frame is read and prepared once for all expressions
    with the same target. No more than one frame is held at any time.

    Args:
        targets: object ids of the E expressions; none means no target.
        mask_source: the ground truth. Its void pixels are not scored.
        num_frames: T.
        read_pred: (expression, frame) to the predicted mask, (H, W) with all
            but 0 as foreground, or to the fault that is in its place.
        valid_span: first and last frame in which the targets count; there is
            no target in the other frames.
        bound_th: tolerance of F.
        missing: effects of the faults.
        on_frame: called with (expression, frame, predicted mask, target mask)
            for every mask that is scored, for further measures.

    Returns:
        Per expression: None if it is left out, else ``J`` and ``F``, (T,)
        float64; ``gt_present`` and ``pred_present``, (T,) bool; ``pred_area``,
        (T,) pixels; ``failed``, True if the whole expression counts 0.

    Raises:
        ValueError: a prediction has another size than the ground truth.
    """
    first, last = valid_span or (0, num_frames - 1)
    records = [_empty_record(num_frames) for _ in targets]
    faults = np.zeros((len(targets), num_frames), dtype=object)
    for t in range(num_frames):
        void = mask_source.void(t)
        if void is not None and not void.any():
            void = None
        truths: dict[tuple[str, ...], tuple[np.ndarray, Silhouette]] = {}
        for e, (target, record) in enumerate(
                zip(targets, records, strict=True)):
            ids = tuple(target) if first <= t <= last else ()
            if ids not in truths:
                mask = mask_source.read(ids, t)
                truths[ids] = mask, Silhouette(mask, void, bound_th)
            truth_mask, truth = truths[ids]
            record['gt_present'][t] = truth.area > 0
            mask = read_pred(e, t)
            if isinstance(mask, Fault):
                faults[e, t] = mask
                if missing.effect(mask, t) is not Effect.EMPTY_FRAME:
                    continue
                mask = np.zeros(truth.shape, dtype=bool)
            if mask.shape != truth.shape:
                raise ValueError(
                    f'a predicted mask of size {mask.shape}, the ground truth '
                    f'has {truth.shape}: write predictions at the original '
                    'size')
            pred = Silhouette(mask, void, bound_th)
            record['pred_present'][t] = pred.area > 0
            record['pred_area'][t] = pred.area
            record['J'][t] = region(pred, truth)
            record['F'][t] = contour(pred, truth)
            if on_frame is not None:
                on_frame(e, t, mask, truth_mask)
    return [
        _apply(record, effect) for record, effect in zip(
            records, _effects(faults, missing), strict=True)
    ]


def _empty_record(num_frames: int) -> dict:
    return dict(
        J=np.zeros(num_frames),
        F=np.zeros(num_frames),
        gt_present=np.zeros(num_frames, dtype=bool),
        pred_present=np.zeros(num_frames, dtype=bool),
        pred_area=np.zeros(num_frames, dtype=np.int64),
        failed=False)


def _effects(faults: np.ndarray, missing: MissingRule) -> list[Effect | None]:
    """The effect on each expression as a whole; None if there is none.

    Args:
        faults: (E, T) of :class:`Fault`, 0 where a mask was scored.
    """
    absent = (faults == Fault.MISSING).all(axis=1)
    effects: list[Effect | None] = []
    for e, row in enumerate(faults):
        if absent[e]:
            effects.append(missing.video if absent.all() else
                           missing.expression)
            continue
        found = {missing.effect(fault, t)
                 for t, fault in enumerate(row) if fault}
        effects.append(next(
            (x for x in (Effect.LEFT_OUT, Effect.ZERO) if x in found), None))
    return effects


def _apply(record: dict, effect: Effect | None) -> dict | None:
    if effect is Effect.LEFT_OUT:
        return None
    if effect is Effect.ZERO:
        record['failed'] = True
        record['J'][:] = record['F'][:] = 0
    return record
