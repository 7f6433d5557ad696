import torch
import torch.nn.functional as F
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from torch import Tensor

from mmrvos.registry import TASK_UTILS


def smooth_giou(boxes: Tensor, targets: Tensor) -> Tensor:
    """Compute the generalised IoU of pairs of boxes, smoothed in both
    fractions.

    Args:
        boxes, targets: (..., 4) that broadcast, (cx, cy, w, h).

    Returns:
        (...), -1 to 1; two zero boxes give 0.
    """
    eps = 1e-6
    a, b = bbox_cxcywh_to_xyxy(boxes), bbox_cxcywh_to_xyxy(targets)

    def area(low: Tensor, high: Tensor) -> Tensor:
        return (high - low).clamp(min=0).prod(-1)

    overlap = area(
        torch.maximum(a[..., :2], b[..., :2]),
        torch.minimum(a[..., 2:], b[..., 2:]))
    union = (area(a[..., :2], a[..., 2:]) + area(b[..., :2], b[..., 2:]) -
             overlap)
    hull = area(
        torch.minimum(a[..., :2], b[..., :2]),
        torch.maximum(a[..., 2:], b[..., 2:]))
    return (overlap + eps) / (union + eps) - (hull - union + eps) / (hull +
                                                                     eps)


def focal_class_cost(logits: Tensor, valid: Tensor, labels: Tensor) -> Tensor:
    """Compute the focal cost of the target's class, a mean over the frames
    that show the object.

    Args:
        logits: (D, P, T, N, K).
        valid: (P, T) bool.
        labels: (P,), ignored when K = 1.

    Returns:
        (D, P, N), 0 for an object that no frame shows.
    """
    if logits.shape[-1] > 1:
        index = labels.view(1, -1, 1, 1, 1).expand(*logits.shape[:-1], 1)
        logits = logits.gather(-1, index)
    prob = logits.float().squeeze(-1).sigmoid()  # (D, P, T, N)
    positive = 0.25 * (1 - prob)**2 * -(prob + 1e-8).log()
    negative = 0.75 * prob**2 * -(1 - prob + 1e-8).log()
    shown = valid.float()[..., None]
    return ((positive - negative) * shown).sum(2) / shown.sum(1).clamp(min=1)


@TASK_UTILS.register_module()
class SequenceMatcher:
    """Match the only target of a clip with one query sequence.

    A sequence is the same query in all frames. With one target the Hungarian
    assignment is an argmin (ReferFormer, section 3.5). The class cost is
    averaged over the frames that show the object, the box costs over all
    frames: the official matcher includes zero boxes of other frames.

    Args:
        class_weight, box_weight, giou_weight, mask_weight, dice_weight: of
            focal class cost, L1, generalised IoU, focal and dice mask cost.
    """

    def __init__(self,
                 *,
                 class_weight: float = 2.,
                 box_weight: float = 5.,
                 giou_weight: float = 2.,
                 mask_weight: float = 2.,
                 dice_weight: float = 5.) -> None:
        self.weights = (class_weight, box_weight, giou_weight, mask_weight,
                        dice_weight)

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
            target_masks: (P, T, h, w) float.
            valid: (P, T) bool.
            labels: (P,), ignored when K = 1.

        Returns:
            (D, P, N).
        """
        class_cost = focal_class_cost(logits, valid, labels)
        target_boxes = target_boxes[:, :, None]  # (P, T, 1, 4)
        box_cost = (boxes - target_boxes).abs().sum(-1).mean(2)
        giou_cost = -smooth_giou(boxes, target_boxes).mean(2)

        costs = (class_cost, box_cost, giou_cost,
                 *self.mask_costs(masks, target_masks))
        return sum(w * c for w, c in zip(self.weights, costs, strict=True))

    @torch.no_grad()
    def mask_costs(self, masks: Tensor,
                   target_masks: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the unweighted focal and dice cost of every query sequence.

        Args:
            masks, target_masks: as in :meth:`cost`.

        Returns:
            (D, P, N) each.
        """
        masks = masks.float()
        prob = masks.sigmoid()
        # focal(x, t) = t * positive(x) + (1 - t) * negative(x)
        positive = 0.25 * (1 - prob)**2 * F.softplus(-masks)
        negative = 0.75 * prob**2 * F.softplus(masks)
        area = target_masks[0].numel()
        mask_cost = (
            torch.einsum('dptnhw,pthw->dpn', positive - negative,
                         target_masks) + negative.sum((2, 4, 5))) / area
        overlap = torch.einsum('dptnhw,pthw->dpn', prob, target_masks)
        total = prob.sum((2, 4, 5)) + target_masks.sum((1, 2, 3))[:, None]
        return mask_cost, -(2 * overlap + 1) / (total + 1)

    def match_masks(self, masks: Tensor, target_masks: Tensor) -> Tensor:
        """Return the sequence of lowest mask cost, (D, P) long."""
        focal, dice = self.mask_costs(masks, target_masks)
        return (self.weights[-2] * focal + self.weights[-1] * dice).argmin(-1)

    def __call__(self, *args, **kwargs) -> Tensor:
        """Return the sequence of lowest cost, (D, P) long; arguments of
        :meth:`cost`."""
        return self.cost(*args, **kwargs).argmin(-1)
