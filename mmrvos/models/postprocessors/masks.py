"""Masks and scores from predictions, shared by the postprocessors."""
from collections.abc import Iterator

import numpy as np
import pycocotools.mask as mask_utils
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from torch import Tensor

from ..features import Predictions
from ..heads.base import BaseRVOSHead
from ..layers import upsample


def encode_masks(masks: Tensor) -> list[dict]:
    """Encode (T, H, W) bool masks, one COCO RLE per frame."""
    masks = masks.byte().permute(1, 2, 0).cpu().numpy()
    return mask_utils.encode(np.asfortranarray(masks))


def sequence_scores(logits: Tensor) -> Tensor:
    """Score every query sequence (ReferFormer, section 3.6).

    Args:
        logits: (P, T, N, K).

    Returns:
        (P, N), the largest class probability after a mean over the frames.
    """
    return logits.sigmoid().mean(1).amax(-1)


def best_masks(head: BaseRVOSHead,
               predictions: Predictions,
               frames: slice = slice(None),
               queries: Tensor | None = None) -> tuple[Tensor, ...]:
    """Build the masks of the best query sequences of the last layer.

    Args:
        head: builds the masks.
        predictions: of P pairs.
        frames: the frames whose masks are built; scores use all frames.
        queries: (P,) long, the sequences to use instead of the best.

    Returns:
        Scores (P,), scores of every frame (P, T), indices (P,) and mask
        logits (P, T, h, w); float32 in any precision of the model.
    """
    logits = predictions.logits[-1].float()
    scores, best = sequence_scores(logits).max(-1)
    if queries is not None:
        best = queries.to(best.device)
        scores = sequence_scores(logits).gather(-1, best[:, None])[:, 0]
    pairs = torch.arange(len(best), device=best.device)
    frame_scores = logits[pairs, frames, best].sigmoid().amax(-1)
    masks = head.masks(predictions, layer=-1, chosen=best)[0, :, frames, 0]
    return scores, frame_scores, best, masks.float()


def best_of_decoded(head: BaseRVOSHead, decoded: Iterator[Predictions],
                   frames: slice, queries: Tensor | None
                   ) -> Iterator[tuple[Predictions, tuple[Tensor, ...]]]:
    """Apply :func:`best_masks` to predictions as they are decoded.

    Args:
        head, frames: see :func:`best_masks`.
        decoded: predictions of some expressions each, on demand.
        queries: (E,) long, of all expressions; or None.
    """
    start = 0
    for predictions in decoded:
        stop = start + predictions.logits.shape[1]
        given = None if queries is None else queries[start:stop]
        yield predictions, best_masks(head, predictions, frames, given)
        del predictions  # freed before the next ones are decoded
        start = stop


def resize_logits(logits: Tensor, input_size: tuple[int, int] | None,
                  image_size: Tensor, ori_shape: tuple[int, int]) -> Tensor:
    """Resize mask logits bilinearly to the original size.

    Padding is cut off at the size of the network's input.

    Args:
        logits: (..., h, w), of the input with its padding.
        input_size: (height, width) with padding; None for no padding.
        image_size: (2,), (height, width) without padding.
        ori_shape: (H, W).

    Returns:
        (..., H, W).
    """
    height, width = image_size.int().tolist()
    if input_size not in (None, (height, width)):
        logits = upsample(logits, input_size)[..., :height, :width]
    return upsample(logits, ori_shape)


def masks_through_input(logits: Tensor, input_size: tuple[int, int] | None,
                        image_size: Tensor, ori_shape: tuple[int, int],
                        threshold: float) -> Tensor:
    """Resize masks by way of the size of the network's input.

    Probabilities are resized bilinearly to the size of the input and
    thresholded. The padding is cut off, and the binary masks are resized to
    the original size by nearest sampling.

    Args:
        logits: (N, h, w) at stride 4.
        input_size: (height, width) with padding; None is (4h, 4w).
        image_size: (2,), (height, width) without padding.
        ori_shape: (H, W).
        threshold: of the probability.

    Returns:
        (N, H, W) bool.
    """
    height, width = input_size or (4 * side for side in logits.shape[-2:])
    masks = upsample(logits, (height, width)).sigmoid() > threshold
    height, width = (int(side) for side in image_size)
    masks = masks[:, None, :height, :width].float()
    return F.interpolate(masks, ori_shape)[:, 0] > 0.5


def empty_below(pred: InstanceData, min_score: float) -> None:
    """Empty the masks of sentences with a lower score, in place.

    Args:
        pred: predictions for E sentences.
        min_score: 0 keeps all masks.
    """
    pred.masks = [
        rles if score >= min_score else [empty_rle(*r['size']) for r in rles]
        for score, rles in zip(pred.scores.tolist(), pred.masks, strict=True)
    ]


def empty_rle(height: int, width: int) -> dict:
    """Encode a mask without any pixel."""
    return mask_utils.encode(np.zeros((height, width), np.uint8, order='F'))
