"""Merge the predictions of augmented copies of a clip."""
from collections.abc import Sequence

import numpy as np
import pycocotools.mask as mask_utils
import torch
from mmengine.model import BaseTTAModel
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample

#: axes of a mask (H, W) by the direction in which it was mirrored
AXES = dict(horizontal=1, vertical=0)


@MODELS.register_module()
class RVOSTTAModel(BaseTTAModel):
    """Test any segmentor on several augmented copies of a clip.

    Masks are mirrored back and merged by a vote: a pixel belongs to the object
    if copies with at least half of the total score mark it. Masks are votes
    and not mean probabilities, because propagators and trackers give none.
    Scores are means over the copies.

    The first copy must not be mirrored: its data sample, with its sentences
    and its ground truth, gets the merged prediction.

    Args:
        module: the segmentor, or its config.
        data_preprocessor: as in :class:`BaseTTAModel`.
    """

    def merge_preds(
        self, data_samples_list: Sequence[Sequence[RVOSDataSample]]
    ) -> list[RVOSDataSample]:
        """Merge the predictions of each video of a batch.

        Args:
            data_samples_list: per video, the data samples of its copies.

        Raises:
            ValueError: the first copy of a video is mirrored.
        """
        return [merge_copies(copies) for copies in data_samples_list]


def merge_copies(copies: Sequence[RVOSDataSample]) -> RVOSDataSample:
    """Merge the predictions of A copies of a video into the first."""
    first = copies[0]
    if first.get('flips'):
        raise ValueError(
            f'the first copy of video {first.video_id} is mirrored, expected '
            'it unchanged: its sentences are those of the result')
    flips = [copy.get('flips', ()) for copy in copies]
    preds = [copy.pred for copy in copies]
    scores = torch.stack([pred.scores for pred in preds])  # (A, E)
    merged = InstanceData(
        masks=[
            vote_sequences([pred.masks[e] for pred in preds], flips,
                           scores[:, e])
            for e in range(len(first.pred.masks))
        ],
        scores=scores.mean(0),
        queries=preds[0].queries)
    if 'frame_scores' in preds[0]:
        merged.frame_scores = torch.stack(
            [pred.frame_scores for pred in preds]).mean(0)
    if 'query_masks' in preds[0]:
        merge_queries(merged, preds, flips, first.ori_shape)
    first.pred = merged
    return first


def merge_queries(merged: InstanceData, preds: Sequence[InstanceData],
                  flips: Sequence[tuple[str, ...]],
                  shape: tuple[int, int]) -> None:
    """Merge the masks, scores and boxes of all queries, query by query.

    Args:
        merged: gets the result.
        preds: of the A copies.
        flips: of the A copies.
        shape: (H, W) of the frames.
    """
    scores = torch.stack([pred.query_scores for pred in preds])  # (A, E, N)
    merged.query_scores = scores.mean(0)
    merged.query_masks = [
        [
            vote([pred.query_masks[e][n] for pred in preds], flips,
                 scores[:, e, n]) for n in range(scores.shape[2])
        ] for e in range(scores.shape[1])
    ]
    if 'query_boxes' in preds[0]:
        merged.query_boxes = torch.stack([
            mirror_boxes(pred.query_boxes, directions, shape)
            for pred, directions in zip(preds, flips, strict=True)
        ]).mean(0)


def vote_sequences(sequences: Sequence[Sequence[dict]],
                   flips: Sequence[tuple[str, ...]],
                   scores: Tensor) -> list[dict]:
    """Merge A sequences of T masks frame by frame, see :func:`vote`."""
    return [
        vote(masks, flips, scores)
        for masks in zip(*sequences, strict=True)
    ]


def vote(masks: Sequence[dict], flips: Sequence[tuple[str, ...]],
         scores: Tensor) -> dict:
    """Merge A masks by a vote that is weighted by scores.

    Args:
        masks: COCO RLE each.
        flips: directions in which each of them is mirrored.
        scores: (A,), at least 0.

    Returns:
        COCO RLE of the pixels that masks with at least half of the total
        score mark.
    """
    weights = scores.double().numpy()
    if not weights.sum():
        weights = np.ones(len(weights))
    total = sum(
        weight * mirror_mask(mask_utils.decode(rle), directions)
        for weight, rle, directions in zip(weights, masks, flips, strict=True))
    # equal weights may sum to a little less than half of their total
    marked = total >= (0.5 - 1e-9) * weights.sum()
    return mask_utils.encode(np.asfortranarray(marked, dtype=np.uint8))


def mirror_mask(mask: np.ndarray, directions: Sequence[str]) -> np.ndarray:
    """Mirror a mask (H, W)."""
    for direction in directions:
        mask = np.flip(mask, AXES[direction])
    return mask


def mirror_boxes(boxes: Tensor, directions: Sequence[str],
                 shape: tuple[int, int]) -> Tensor:
    """Mirror boxes (..., 4), x1 y1 x2 y2 in pixels of a frame (H, W)."""
    for direction in directions:
        start = 0 if direction == 'horizontal' else 1
        boxes = boxes.clone()
        low, high = boxes[..., start].clone(), boxes[..., start + 2].clone()
        size = shape[AXES[direction]]
        boxes[..., start], boxes[..., start + 2] = size - high, size - low
    return boxes
