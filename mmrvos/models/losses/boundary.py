"""Boundaries of masks as a target, and their loss (MLRL, Eq. 14)."""
import torch
import torch.nn.functional as F
from torch import Tensor


def mask_boundaries(masks: Tensor, shown: Tensor) -> Tensor:
    """Compute the boundaries of masks, three pixels wide.

    These are the mask's pixels with a 4-neighbour outside the mask, dilated by
    one pixel. The border of the frame, where padding may follow, is not a
    boundary.

    Args:
        masks: (..., H, W) bool.
        shown: bool, broadcast to ``masks``: the frames without their padding.

    Returns:
        The same shape, float 0 or 1.
    """
    inside, outside = (
        x.float().flatten(0, -3)[:, None] for x in (masks, shown & ~masks))
    beside = torch.maximum(
        F.max_pool2d(outside, (3, 1), 1, (1, 0)),
        F.max_pool2d(outside, (1, 3), 1, (0, 1)))
    contour = beside * inside
    return F.max_pool2d(contour, 3, 1, 1).view(masks.shape) * shown


def balanced_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Compute a binary cross-entropy with balanced classes.

    Each class is weighted by the share of pixels of the other class, so that
    both have the same total weight.

    Args:
        logits, targets: (..., pixels of all frames of a sequence); targets
            are 0 or 1.

    Returns:
        (...), weighted means; 0 where there is only one class.
    """
    share = targets.mean(-1, keepdim=True)
    weights = torch.where(targets > 0, 1 - share, share)
    losses = F.binary_cross_entropy_with_logits(
        logits, targets, reduction='none')
    total = weights.sum(-1).clamp(min=1e-6)
    return (weights * losses).sum(-1) / total
