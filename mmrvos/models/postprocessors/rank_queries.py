from collections.abc import Iterator

from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.registry import TASK_UTILS

from ..features import Predictions
from ..heads.base import BaseRVOSHead
from .base import BasePostprocessor
from .masks import encode_masks, masks_through_input


@TASK_UTILS.register_module()
class RankQueries(BasePostprocessor):
    """Return all queries of a single frame (A2D, JHMDB, RefCOCO).

    Masks are resized by way of the size of the input, see
    :func:`masks_through_input`: the official postprocessing of these data
    sets.

    Args:
        threshold: of the mask probability.
    """

    def __init__(self, *, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def __call__(self,
                 head: BaseRVOSHead,
                 decoded: Iterator[Predictions],
                 ori_shape: tuple[int, int],
                 *,
                 frames: slice = slice(None),
                 queries: Tensor | None = None,
                 max_frames: int | None = None) -> InstanceData:
        """Return all queries of each expression, in the order of the model.

        The clip has a single decoded frame, so ``frames`` selects nothing.

        Returns:
            ``query_scores`` (E, N), ``query_masks`` (one RLE per query) and,
            from methods with boxes, ``query_boxes`` (E, N, 4) as (x1, y1, x2,
            y2) pixels; of the best query ``masks``, ``scores`` and
            ``queries``.

        Raises:
            ValueError: the clip was decoded for more than one frame, or
                ``queries`` are given.
        """
        if queries is not None:
            raise ValueError(
                'RankQueries returns all queries of one annotated frame, so '
                "test_cfg.query='carried' has no effect: remove it")
        parts = []
        for predictions in decoded:
            # numpy knows no bf16
            logits = predictions.logits[-1].float()
            if logits.shape[1] != 1:
                raise ValueError(
                    'RankQueries needs clips with one annotated frame, got '
                    f'predictions of {logits.shape[1]} frames: the clip needs '
                    'a valid_index')
            scores = logits[:, 0].sigmoid().amax(-1)
            masks = head.masks(predictions, layer=-1)[0, :, 0].float()
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
                    boxes = bbox_cxcywh_to_xyxy(
                        predictions.boxes[-1, index, 0].float())
                    scale = boxes.new_tensor(ori_shape[::-1]).repeat(2)
                    part.query_boxes = (boxes * scale)[None].cpu()
                parts.append(part)
        return InstanceData.cat(parts)
