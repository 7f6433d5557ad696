"""J and F of a video's expressions, a frame at a time."""
from collections.abc import Callable, Sequence

import numpy as np

from mmrvos.structures import MaskSource

from .functional import BOUND_TH, Silhouette, contour, region


def score_video(targets: Sequence[Sequence[str]],
                mask_source: MaskSource,
                num_frames: int,
                read_pred: Callable[[int, int], np.ndarray | None],
                *,
                valid_span: tuple[int, int] | None = None,
                bound_th: float = BOUND_TH) -> list[dict[str, np.ndarray]]:
    """Score all expressions of a video.

    The ground truth of a frame is read and prepared once for all expressions
    with the same target, and no more than one frame is held at any time.

    Args:
        targets: object ids of every expression; none means no target.
        mask_source: the ground truth, whose void pixels do not count.
        num_frames: T.
        read_pred: (expression, frame) to its (H, W) mask; None where there is
            no usable prediction, which counts as 0, target or not.
        valid_span: first and last frame in which the targets count; outside
            there is none.
        bound_th: tolerance of F.

    Returns:
        For each expression ``J`` and ``F``, (T,) float64, ``gt_present`` and
        ``pred_present``, (T,) bool, ``pred_area``, (T,) pixels.

    Raises:
        ValueError: a prediction has another size than the ground truth.
    """
    first, last = valid_span or (0, num_frames - 1)
    scores = [
        dict(
            J=np.zeros(num_frames),
            F=np.zeros(num_frames),
            gt_present=np.zeros(num_frames, dtype=bool),
            pred_present=np.zeros(num_frames, dtype=bool),
            pred_area=np.zeros(num_frames, dtype=np.int64)) for _ in targets
    ]
    for t in range(num_frames):
        void = mask_source.void(t)
        if void is not None and not void.any():
            void = None
        truths: dict[tuple[str, ...], Silhouette] = {}
        for e, (target, score) in enumerate(zip(targets, scores, strict=True)):
            ids = tuple(target) if first <= t <= last else ()
            if ids not in truths:
                truths[ids] = Silhouette(
                    mask_source.read(ids, t), void, bound_th)
            truth = truths[ids]
            score['gt_present'][t] = truth.area > 0
            mask = read_pred(e, t)
            if mask is None:
                continue
            if mask.shape != truth.shape:
                raise ValueError(
                    f'a predicted mask of size {mask.shape}, the ground truth '
                    f'has {truth.shape}: write predictions at the original '
                    'size')
            pred = Silhouette(mask, void, bound_th)
            score['pred_present'][t] = pred.area > 0
            score['pred_area'][t] = pred.area
            score['J'][t] = region(pred, truth)
            score['F'][t] = contour(pred, truth)
    return scores
