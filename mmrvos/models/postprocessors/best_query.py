from collections.abc import Iterator

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.registry import TASK_UTILS

from ..chunks import chunk_slices
from ..features import Predictions
from ..heads.base import BaseRVOSHead
from .base import BasePostprocessor
from .masks import (
    best_of_decoded,
    encode_masks,
    masks_through_input,
    resize_logits,
)


@TASK_UTILS.register_module()
class BestQuery(BasePostprocessor):
    """Return the masks of the best query sequence of every expression.

    Logits are resized bilinearly from stride 4 to the original size, as in
    ReferFormer's official inference on Ref-YouTube-VOS, where no video is
    padded; see :func:`resize_logits` for one that is.

    Args:
        threshold: of the mask probability.
        through_input: resize by way of the size of the network's input
            instead, see :func:`masks_through_input` (MTTR).
    """

    def __init__(self,
                 *,
                 threshold: float = 0.5,
                 through_input: bool = False) -> None:
        self.threshold = threshold
        self.through_input = through_input

    def __call__(self,
                 head: BaseRVOSHead,
                 decoded: Iterator[Predictions],
                 ori_shape: tuple[int, int],
                 *,
                 frames: slice = slice(None),
                 queries: Tensor | None = None,
                 max_frames: int | None = None) -> InstanceData:
        """See :meth:`BasePostprocessor.__call__`."""
        masks, chosen = [], []
        for predictions, (*best, logits) in best_of_decoded(
                head, decoded, frames, queries):
            chosen.append([x.cpu() for x in best])
            for index, sequence in enumerate(logits):
                masks.append([
                    rle for part in chunk_slices(len(sequence), max_frames)
                    for rle in encode_masks(
                        self.resize(sequence[part], predictions, index,
                                    ori_shape))
                ])
            # freed before the next ones are decoded
            del predictions, logits, sequence
        scores, frame_scores, queries = map(torch.cat, zip(*chosen,
                                                           strict=True))
        return InstanceData(
            masks=masks,
            scores=scores,
            frame_scores=frame_scores,
            queries=queries)

    def resize(self, logits: Tensor, predictions: Predictions, index: int,
               ori_shape: tuple[int, int]) -> Tensor:
        """Resize the (T, h, w) logits of a pair to (T, H, W) bool masks."""
        sizes = (predictions.input_size, predictions.image_sizes[index],
                 ori_shape)
        if self.through_input:
            return masks_through_input(logits, *sizes, self.threshold)
        return resize_logits(logits, *sizes).sigmoid() > self.threshold
