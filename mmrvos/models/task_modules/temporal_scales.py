from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class TemporalScale:
    """Which frames of each clip a temporal scale sees.

    Args:
        frames: (B, T_s) long, positions in the clip, rising.
        places: (B, T_s) long, positions of the same frames in the scale
            above; for the first scale in the clip.
    """
    frames: Tensor
    places: Tensor


def pick_from_groups(shape: tuple[int, int],
                     stride: int,
                     device: torch.device,
                     keep: Tensor | None = None) -> Tensor:
    """One position at random out of every ``stride`` consecutive ones.

    A shorter group at the end gives one too.

    Args:
        shape: (B, T).
        stride: h.
        device: where to draw.
        keep: (B,) long, a position that is taken instead of a random one of
            its group.

    Returns:
        (B, ceil(T / h)) long.
    """
    batch, total = shape
    starts = torch.arange(0, total, stride, device=device)
    sizes = (total - starts).clamp(max=stride)
    drawn = torch.rand(batch, len(starts), device=device)
    picked = starts + (drawn * sizes).long()
    if keep is not None:
        picked.scatter_(1, keep[:, None] // stride, keep[:, None])
    return picked


def draw_scales(shape: tuple[int, int],
                num_scales: int,
                stride: int,
                device: torch.device,
                keep: Tensor | None = None) -> list[TemporalScale]:
    """All frames, then one of every few of the scale above (HTML, 3.2.1).

    Args:
        shape: (B, T); every clip has its own draw.
        num_scales: S.
        stride: h.
        device: where to draw.
        keep: (B,) long, a frame that no scale leaves out.

    Returns:
        S scales, of T, ceil(T / h), ... frames.
    """
    frames = torch.arange(shape[1], device=device).expand(shape)
    scales = [TemporalScale(frames, frames)]
    for _ in range(num_scales - 1):
        places = pick_from_groups(tuple(frames.shape), stride, device, keep)
        frames = frames.gather(1, places)
        scales.append(TemporalScale(frames, places))
        if keep is not None:
            keep = keep // stride
    return scales
