from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class TemporalScale:
    """Frames of each clip at one temporal scale.

    Args:
        frames: (B, T_s) long, positions in the clip, ascending.
        positions: (B, T_s) long, positions of the same frames in the scale
            before; for the first scale those in the clip.
    """
    frames: Tensor
    positions: Tensor

    def find(self, index: Tensor) -> Tensor:
        """Find the position in this scale of a frame that it has.

        Args:
            index: (B,) long, a frame of each clip, as a position in the clip.
        """
        return (self.frames == index[:, None]).int().argmax(1)


def sample_from_groups(shape: tuple[int, int],
                       stride: int,
                       device: torch.device,
                       keep: Tensor | None = None) -> Tensor:
    """Sample one position of every ``stride`` consecutive ones.

    The last group may be shorter.

    Args:
        shape: (B, T).
        stride: h.
        device: of the result.
        keep: (B,) long, a position that is chosen in its group instead of a
            random one.

    Returns:
        (B, ceil(T / h)) long.
    """
    batch, total = shape
    starts = torch.arange(0, total, stride, device=device)
    sizes = (total - starts).clamp(max=stride)
    offsets = torch.rand(batch, len(starts), device=device) * sizes
    chosen = starts + offsets.long()
    if keep is not None:
        chosen.scatter_(1, keep[:, None] // stride, keep[:, None])
    return chosen


def sample_scales(shape: tuple[int, int],
                  num_scales: int,
                  stride: int,
                  device: torch.device,
                  keep: Tensor | None = None) -> list[TemporalScale]:
    """Sample the frames of all temporal scales (HTML, 3.2.1).

    The first scale has all frames, each further one a random frame of every
    ``stride`` frames of the scale before it.

    Args:
        shape: (B, T); every clip is sampled independently.
        num_scales: S.
        stride: h.
        device: of the result.
        keep: (B,) long, a frame that is in all scales.

    Returns:
        S scales, of T, ceil(T / h), ... frames.
    """
    frames = torch.arange(shape[1], device=device).expand(shape)
    scales = [TemporalScale(frames, frames)]
    for _ in range(num_scales - 1):
        positions = sample_from_groups(
            tuple(frames.shape), stride, device, keep)
        frames = frames.gather(1, positions)
        scales.append(TemporalScale(frames, positions))
        if keep is not None:
            keep = keep // stride
    return scales
