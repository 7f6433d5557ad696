import math

import torch
from torch import Tensor


def sine_word_positions(padding: Tensor,
                        num_feats: int,
                        temperature: float = 10000.,
                        eps: float = 1e-6) -> Tensor:
    """1D sine encoding of words (DETR's, in one dimension).

    Positions count the words that are not padded and are scaled to 2*pi at the
    last one. mmdet's 2D encoding is called with an offset of -0.5; the
    official text encoding has none.

    Args:
        padding: (P, L) bool, True where padded.
        num_feats: C, even.

    Returns:
        (P, L, C) float32, sine and cosine interleaved.
    """
    count = (~padding).cumsum(1, dtype=torch.float32)
    place = count / (count[:, -1:] + eps) * (2 * math.pi)
    channel = torch.arange(0, num_feats, 2, device=padding.device)
    angle = place[..., None] / temperature**(channel / num_feats)
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(2)
