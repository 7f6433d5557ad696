import torch.nn.functional as F
from torch import Tensor


def upsample(logits: Tensor, shape: tuple[int, int]) -> Tensor:
    """Resize (..., T, h, w) logits bilinearly to (..., T, H, W)."""
    lead = logits.shape[:-2]
    return F.interpolate(
        logits.flatten(0, -3)[:, None],
        shape,
        mode='bilinear',
        align_corners=False)[:, 0].unflatten(0, lead)
