from collections.abc import Iterator

import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.registry import TASK_UTILS

from ..chunks import chunk_slices
from ..features import Predictions
from ..heads.base import BaseRVOSHead
from .base import BasePostprocessor
from .masks import best_of_decoded, encode_masks, resize_logits


@TASK_UTILS.register_module()
class MergeObjects(BasePostprocessor):
    """Merge all expressions of a sample into one label map (Ref-DAVIS17).

    The expressions of a sample refer to different objects. Probabilities
    below the threshold count as 0, the background has a constant probability,
    and each pixel is assigned to the largest. Of equal probabilities the
    first wins, the background before all objects.

    Args:
        threshold: of the mask probability; a probability equal to it is kept.
        background: probability of the background.
    """

    def __init__(self,
                 *,
                 threshold: float = 0.5,
                 background: float = 0.1) -> None:
        self.threshold = threshold
        self.background = background

    def __call__(self,
                 head: BaseRVOSHead,
                 decoded: Iterator[Predictions],
                 ori_shape: tuple[int, int],
                 *,
                 frames: slice = slice(None),
                 queries: Tensor | None = None,
                 max_frames: int | None = None) -> InstanceData:
        """Return disjoint masks; see :meth:`BasePostprocessor.__call__`."""
        best = []
        for predictions, found in best_of_decoded(head, decoded, frames,
                                                  queries):
            best.append(found)
            # of the video, which all pairs have in common
            sizes = (predictions.input_size, predictions.image_sizes[0],
                     ori_shape)
            del predictions  # freed before the next ones are decoded
        scores, frame_scores, queries, logits = (
            torch.cat(parts) for parts in zip(*best, strict=True))
        masks = [[] for _ in scores]
        for part in chunk_slices(logits.shape[1], max_frames):
            labels = self.merge(
                resize_logits(logits[:, part], *sizes).sigmoid())
            for index, sequence in enumerate(masks):
                sequence.extend(encode_masks(labels == index + 1))
        return InstanceData(
            masks=masks,
            scores=scores.cpu(),
            frame_scores=frame_scores.cpu(),
            queries=queries.cpu())

    def merge(self, probs: Tensor) -> Tensor:
        """Convert probabilities (E, T, H, W) to a label map (T, H, W)."""
        probs = torch.where(probs < self.threshold, 0., probs)
        probs = F.pad(probs, (0, 0, 0, 0, 0, 0, 1, 0), value=self.background)
        return probs.argmax(0)
