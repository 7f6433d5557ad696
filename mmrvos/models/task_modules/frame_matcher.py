import torch
from torch import Tensor

from mmrvos.registry import TASK_UTILS

from ..layers import upsample
from .sequence_matcher import focal_class_cost, smooth_giou


def frame_dice_cost(masks: Tensor, target_masks: Tensor) -> Tensor:
    """Compute the dice cost at full size, a mean over the frames.

    Args:
        masks: (P, T, N, h, w) logits, resized bilinearly to the targets.
        target_masks: (P, T, H, W) bool.

    Returns:
        (P, N), -1 for perfect masks.
    """
    gt_masks = target_masks.float()
    probs = upsample(masks, gt_masks.shape[-2:]).sigmoid()
    overlap = torch.einsum('ptnhw,pthw->ptn', probs, gt_masks)
    total = probs.sum((-2, -1)) + gt_masks.sum((-2, -1))[..., None]
    return -((2 * overlap + 1) / (total + 1)).mean(1)


@TASK_UTILS.register_module()
class FrameMatcher:
    """Match each target with one query sequence, by frame-wise costs (SOC).

    All costs are means over frames: the class cost over the frames that show
    the object, box and mask costs over all frames. As in the official code,
    frames without the object count with a zero box and an empty mask.

    Args:
        class_weight, box_weight, giou_weight, dice_weight: of focal class
            cost, L1, generalised IoU and dice.
    """

    def __init__(self,
                 *,
                 class_weight: float = 2.,
                 box_weight: float = 2.,
                 giou_weight: float = 2.,
                 dice_weight: float = 5.) -> None:
        self.weights = (class_weight, box_weight, giou_weight, dice_weight)

    @torch.no_grad()
    def cost(self, logits: Tensor, boxes: Tensor, masks: Tensor,
             target_boxes: Tensor, target_masks: Tensor, valid: Tensor,
             labels: Tensor) -> Tensor:
        """Compute the cost of every query sequence.

        Args:
            logits: (D, P, T, N, K).
            boxes: (D, P, T, N, 4), (cx, cy, w, h).
            masks: (D, P, T, N, h, w) logits.
            target_boxes: (P, T, 4), zero where absent.
            target_masks: (P, T, H, W) bool.
            valid: (P, T) bool.
            labels: (P,), ignored when K = 1.

        Returns:
            (D, P, N).
        """
        target_boxes = target_boxes[:, :, None]  # (P, T, 1, 4)
        # layer by layer, since full-size masks of all queries are large
        dice = [frame_dice_cost(layer.float(), target_masks)
                for layer in masks]
        costs = (focal_class_cost(logits, valid, labels),
                 (boxes - target_boxes).abs().sum(-1).mean(2),
                 -smooth_giou(boxes, target_boxes).mean(2), torch.stack(dice))
        return sum(w * c for w, c in zip(self.weights, costs, strict=True))

    def __call__(self, *args, **kwargs) -> Tensor:
        """Return the sequence of lowest cost, (D, P) long; arguments of
        :meth:`cost`."""
        return self.cost(*args, **kwargs).argmin(-1)
