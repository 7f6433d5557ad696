"""Focal and dice loss of whole sequences, as functions."""
import torch.nn.functional as F
from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss
from torch import Tensor


def sigmoid_focal(logits: Tensor, targets: Tensor) -> Tensor:
    """Compute the focal loss per element, alpha 0.25, gamma 2 (RetinaNet).

    Args:
        logits, targets: the same shape; targets are float, 0 to 1.
    """
    return py_sigmoid_focal_loss(logits, targets, reduction='none')


def sequence_dice(logits: Tensor, targets: Tensor) -> Tensor:
    """Compute the dice loss over the last axis, smoothed by one pixel.

    Args:
        logits, targets: (..., pixels of all frames of a sequence).

    Returns:
        (...), 0 for a perfect mask.
    """
    masks = logits.sigmoid()
    overlap = (masks * targets).sum(-1)
    return 1 - (2 * overlap + 1) / (masks.sum(-1) + targets.sum(-1) + 1)


def mask_targets(masks: Tensor, stride: int, average: bool) -> Tensor:
    """Reduce masks to the size at which they are supervised.

    Args:
        masks: (..., H, W) bool, H and W multiples of ``stride`` or not.
        stride: pixels per cell.
        average: a cell is the mean of its pixels; else the pixel at
            ``[stride // 2::stride]``, which is official and half a pixel off
            the centre of the cell.

    Returns:
        (..., ceil(H / stride), ceil(W / stride)) float.
    """
    height, width = masks.shape[-2:]
    masks = F.pad(masks.float(), (0, -width % stride, 0, -height % stride))
    if not average:
        return masks[..., stride // 2::stride, stride // 2::stride]
    lead = masks.shape[:-2]
    return F.avg_pool2d(masks.flatten(0, -3)[:, None],
                        stride)[:, 0].unflatten(0, lead)


def cell_targets(masks: Tensor, stride: int, maps: Tensor) -> Tensor:
    """Average masks over the cells of a map.

    Args:
        masks: (..., H, W) bool.
        stride: of the map, as its head has it.
        maps: (..., h, w), predictions of the head.

    Returns:
        (..., h, w) float.

    Raises:
        ValueError: the map has another stride.
    """
    targets = mask_targets(masks, stride, average=True)
    if targets.shape[-2:] != maps.shape[-2:]:
        raise ValueError(
            f'a head with stride={stride} got a map of '
            f'{tuple(maps.shape[-2:])} cells for frames of '
            f'{tuple(masks.shape[-2:])} pixels: set stride to that of its map')
    return targets
