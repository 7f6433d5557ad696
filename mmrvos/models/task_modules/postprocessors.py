"""From predictions of one window of frames to masks at the original size.

A postprocessor takes the predictions of a video's expressions in chunks, as
they are decoded, so that no more than one chunk's features are held. Only the
masks that are asked for are built: classes first, then the best query's masks
of the last layer.
"""
from collections.abc import Iterator

import numpy as np
import pycocotools.mask as mask_utils
import torch
import torch.nn.functional as F
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.registry import TASK_UTILS

from ..features import Predictions

FRAMES_AT_ONCE = 8  # bounds the memory of upsampling


def encode_masks(masks: Tensor) -> list[dict]:
    """COCO RLE of (T, H, W) bool masks, a dict a frame."""
    masks = masks.byte().permute(1, 2, 0).cpu().numpy()
    return mask_utils.encode(np.asfortranarray(masks))


def sequence_scores(logits: Tensor) -> Tensor:
    """Score of every query sequence (ReferFormer, section 3.6).

    Args:
        logits: (P, T, N, K).

    Returns:
        (P, N), the largest class probability after a mean over the frames.
    """
    return logits.sigmoid().mean(1).amax(-1)


def best_masks(head,
               predictions: Predictions,
               frames: slice = slice(None),
               queries: Tensor | None = None) -> tuple[Tensor, ...]:
    """What the best query sequences of the last layer say.

    Args:
        head: builds the masks.
        predictions: of P pairs.
        frames: those that are wanted; the scores see all.
        queries: (P,), the sequences that are the best without asking.

    Returns:
        Scores (P,), scores of every frame (P, T), indices (P,) and mask
        logits (P, T, h, w); float32, also of a model in half precision.
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


def best_of_chunks(head, chunks: Iterator[Predictions], frames: slice,
                   queries: Tensor | None
                   ) -> Iterator[tuple[Predictions, tuple[Tensor, ...]]]:
    """:func:`best_masks` chunk by chunk; ``queries`` are (E,) of all."""
    start = 0
    for predictions in chunks:
        stop = start + predictions.logits.shape[1]
        given = None if queries is None else queries[start:stop]
        yield predictions, best_masks(head, predictions, frames, given)
        del predictions  # else held while the next chunk is decoded
        start = stop


def masks_through_input(logits: Tensor, input_size: tuple[int, int] | None,
                        image_size: Tensor, ori_shape: tuple[int, int],
                        threshold: float) -> Tensor:
    """Masks by way of the network's input.

    Probabilities go bilinearly to the size of the input, are cut at the
    threshold, lose their padding and come to the original size by nearest
    sampling.

    Args:
        logits: (N, h, w) at stride 4.
        input_size: (height, width) with padding; None is (4h, 4w).
        image_size: (2,), (height, width) without padding.
        ori_shape: (H, W).

    Returns:
        (N, H, W) bool.
    """
    height, width = input_size or (4 * side for side in logits.shape[-2:])
    masks = upsample(logits, (height, width)).sigmoid() > threshold
    height, width = (int(side) for side in image_size)
    masks = masks[:, None, :height, :width].float()
    return F.interpolate(masks, ori_shape)[:, 0] > 0.5


@TASK_UTILS.register_module()
class BestQuery:
    """The masks of the best query sequence of every expression.

    Logits go bilinearly from stride 4 straight to the original size, as in
    ReferFormer's official inference on Ref-YouTube-VOS.

    Args:
        threshold: of the mask probability.
        through_input: go through the size of the network's input instead,
            :func:`masks_through_input` (MTTR).
    """

    def __init__(self,
                 *,
                 threshold: float = 0.5,
                 through_input: bool = False) -> None:
        self.threshold = threshold
        self.through_input = through_input

    def __call__(self,
                 head,
                 chunks: Iterator[Predictions],
                 ori_shape: tuple[int, int],
                 frames: slice = slice(None),
                 queries: Tensor | None = None) -> InstanceData:
        """Masks (RLE), scores (also of every frame) and query index of each
        expression.

        Args:
            head: builds the masks.
            chunks: predictions of some expressions each.
            ori_shape: (H, W).
            frames: the frames whose masks are wanted.
            queries: (E,), query sequences that were chosen before.
        """
        masks, chosen = [], []
        for predictions, (*best, logits) in best_of_chunks(
                head, chunks, frames, queries):
            chosen.append([x.cpu() for x in best])
            for index, sequence in enumerate(logits):
                masks.append([
                    rle for part in sequence.split(FRAMES_AT_ONCE)
                    for rle in encode_masks(
                        self.resize(part, predictions, index, ori_shape))
                ])
            del predictions, logits  # as in best_of_chunks
        scores, frame_scores, queries = map(torch.cat, zip(*chosen,
                                                           strict=True))
        return InstanceData(
            masks=masks,
            scores=scores,
            frame_scores=frame_scores,
            queries=queries)

    def resize(self, logits: Tensor, predictions: Predictions, index: int,
               ori_shape: tuple[int, int]) -> Tensor:
        """(T, h, w) logits of a pair at stride 4 to (T, H, W) bool."""
        if self.through_input:
            return masks_through_input(logits, predictions.input_size,
                                       predictions.image_sizes[index],
                                       ori_shape, self.threshold)
        return upsample(logits, ori_shape).sigmoid() > self.threshold


@TASK_UTILS.register_module()
class MergeObjects:
    """One label map from all expressions of a sample (Ref-DAVIS17).

    The expressions of a sample name different objects. Probabilities below
    the threshold count as 0, the background has a constant probability, and
    every pixel goes to the largest; the first of equals wins, the background
    before all objects.

    Args:
        threshold: of the mask probability; exactly this much stays.
        background: probability of the background.
    """

    def __init__(self,
                 *,
                 threshold: float = 0.5,
                 background: float = 0.1) -> None:
        self.threshold = threshold
        self.background = background

    def __call__(self,
                 head,
                 chunks: Iterator[Predictions],
                 ori_shape: tuple[int, int],
                 frames: slice = slice(None),
                 queries: Tensor | None = None) -> InstanceData:
        """Disjoint masks (RLE), scores (also of every frame) and query index
        of each expression; arguments as :meth:`BestQuery.__call__`."""
        best = [
            found
            for _, found in best_of_chunks(head, chunks, frames, queries)
        ]
        scores, frame_scores, queries, logits = (
            torch.cat(parts) for parts in zip(*best, strict=True))
        masks = [[] for _ in scores]
        for part in logits.split(FRAMES_AT_ONCE, dim=1):
            labels = self.merge(upsample(part, ori_shape).sigmoid())
            for index, sequence in enumerate(masks):
                sequence.extend(encode_masks(labels == index + 1))
        return InstanceData(
            masks=masks,
            scores=scores.cpu(),
            frame_scores=frame_scores.cpu(),
            queries=queries.cpu())

    def merge(self, probs: Tensor) -> Tensor:
        """Label map (T, H, W) of objects' probabilities (E, T, H, W)."""
        probs = torch.where(probs < self.threshold, 0., probs)
        probs = F.pad(probs, (0, 0, 0, 0, 0, 0, 1, 0), value=self.background)
        return probs.argmax(0)


@TASK_UTILS.register_module()
class RankQueries:
    """All queries of a single frame, for ranking (A2D, JHMDB, RefCOCO).

    Masks go through the size of the input, :func:`masks_through_input`: the
    official postprocessing of these data sets.

    Args:
        threshold: of the mask probability.
    """

    def __init__(self, *, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def __call__(self, head, chunks: Iterator[Predictions],
                 ori_shape: tuple[int, int]) -> InstanceData:
        """Of each expression, all queries in the order of the model:
        ``query_scores`` (E, N), ``query_masks`` (RLE) and, from methods with
        boxes, ``query_boxes`` (E, N, 4) as (x1, y1, x2, y2) pixels; and, of
        the best query, ``masks``, ``scores`` and ``queries`` as elsewhere.

        Raises:
            ValueError: the clip was decoded for more than one frame.
        """
        parts = []
        for predictions in chunks:
            logits = predictions.logits[-1]
            if logits.shape[1] != 1:
                raise ValueError(
                    'RankQueries scores one annotated frame, got '
                    f'{logits.shape[1]}: the clip needs a valid_index')
            scores = logits[:, 0].sigmoid().amax(-1)
            masks = head.masks(predictions, layer=-1)[0, :, 0]
            for index, size in enumerate(predictions.image_sizes):
                rles = encode_masks(
                    masks_through_input(masks[index], predictions.input_size,
                                        size, ori_shape, self.threshold))
                best = scores[index].argmax()
                part = InstanceData(
                    query_scores=scores[None, index].cpu(),
                    query_masks=[rles],
                    masks=[[rles[best]]],
                    scores=scores[None, index, best].cpu(),
                    queries=best[None].cpu())
                if predictions.boxes is not None:
                    boxes = bbox_cxcywh_to_xyxy(predictions.boxes[-1, index,
                                                                  0])
                    scale = boxes.new_tensor(ori_shape[::-1]).repeat(2)
                    part.query_boxes = (boxes * scale)[None].cpu()
                parts.append(part)
        return InstanceData.cat(parts)


def upsample(logits: Tensor, shape: tuple[int, int]) -> Tensor:
    """Bilinear resize of (..., T, h, w) logits to (..., T, H, W)."""
    lead = logits.shape[:-2]
    return F.interpolate(
        logits.flatten(0, -3)[:, None],
        shape,
        mode='bilinear',
        align_corners=False)[:, 0].unflatten(0, lead)
