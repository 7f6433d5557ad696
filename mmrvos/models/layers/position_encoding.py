import math

import torch
from torch import Tensor


def sine_word_positions(padding: Tensor,
                        num_feats: int,
                        temperature: float = 10000.,
                        eps: float = 1e-6) -> Tensor:
    """Encode the positions of words with sines (DETR, in one dimension).

    The position is the number of words up to the word, without padding,
    scaled to 2*pi at the last word. As in the official code, there is no
    offset of half a position, unlike in the 2D encoding.

    Args:
        padding: (P, L) bool, True where padded.
        num_feats: C, even.

    Returns:
        (P, L, C) float32, sine and cosine interleaved.
    """
    count = (~padding).cumsum(1, dtype=torch.float32)
    position = count / (count[:, -1:] + eps) * (2 * math.pi)
    return sine_encoding(position, num_feats, temperature)


def clip_time_positions(num_frames: int, num_feats: int,
                        device: torch.device) -> Tensor:
    """Encode each frame's position in its clip, 0 to 2*pi, with sines.

    Frame t has the middle of the t-th of T equal intervals, so that positions
    do not depend on the number of frames sampled from the same interval.

    Args:
        num_frames: T.
        num_feats: C, even.
        device: of the result.

    Returns:
        (T, C) float32, sine and cosine interleaved.
    """
    position = (torch.arange(num_frames, device=device) + 0.5) / num_frames
    return sine_encoding(position * (2 * math.pi), num_feats)


def sine_encoding(position: Tensor,
                  num_feats: int,
                  temperature: float = 10000.) -> Tensor:
    """Compute sine and cosine of a position at decreasing frequencies.

    Args:
        position: (...), angle at the highest frequency.
        num_feats: C, even.
        temperature: about the inverse of the lowest frequency.

    Returns:
        (..., C), interleaved.
    """
    channel = torch.arange(0, num_feats, 2, device=position.device)
    angle = position[..., None] / temperature**(channel / num_feats)
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(-2)
