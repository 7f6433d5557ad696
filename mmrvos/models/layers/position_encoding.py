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
    return sine_encoding(place, num_feats, temperature)


def clip_time_positions(num_frames: int, num_feats: int,
                        device: torch.device) -> Tensor:
    """Sine encoding of each frame's place in its clip, 0 to 2*pi.

    Frame t is the middle of the t-th of T equal parts, so that clips of few
    and of many frames from the same stretch of time agree.

    Args:
        num_frames: T.
        num_feats: C, even.
        device: where to make it.

    Returns:
        (T, C) float32, sine and cosine interleaved.
    """
    place = (torch.arange(num_frames, device=device) + 0.5) / num_frames
    return sine_encoding(place * (2 * math.pi), num_feats)


def sine_encoding(place: Tensor,
                  num_feats: int,
                  temperature: float = 10000.) -> Tensor:
    """Sine and cosine of a place at falling frequencies.

    Args:
        place: (...), angle at the highest frequency.
        num_feats: C, even.
        temperature: the lowest frequency is about the inverse of it.

    Returns:
        (..., C), interleaved.
    """
    channel = torch.arange(0, num_feats, 2, device=place.device)
    angle = place[..., None] / temperature**(channel / num_feats)
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(-2)
