"""Maps of the backbone and their padding: the first steps of encode_clip."""
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..chunks import chunk_slices


def run_backbone(backbone: nn.Module,
                 frames: Tensor,
                 valid_index: Tensor | None = None,
                 *,
                 channels_last: bool = False,
                 max_frames: int | None = None
                 ) -> tuple[Sequence[Tensor], int]:
    """Run the backbone on clips.

    Args:
        backbone: an image backbone takes (n, 3, H, W); a video backbone, with
            ``temporal = True``, takes (B, T, 3, H, W).
        frames: (B, T, 3, H, W).
        valid_index: (B,) long, the only frame of each clip whose maps are
            kept; None keeps all.
        channels_last: memory order of the frames, for image backbones.
        max_frames: frames that an image backbone takes together; None for
            all. A video backbone takes whole clips.

    Returns:
        Maps (B*T, C_i, h_i, w_i), fine to coarse; and T, which is 1 with a
        ``valid_index``.
    """
    num_frames = frames.shape[1]
    if getattr(backbone, 'temporal', False):
        maps = backbone(frames)
    else:
        frames = frames.flatten(0, 1)
        if channels_last:
            frames = frames.contiguous(memory_format=torch.channels_last)
        maps = join_levels([
            backbone(frames[part])
            for part in chunk_slices(len(frames), max_frames)
        ])
    if valid_index is None:
        return maps, num_frames
    rows = rows_of(valid_index, num_frames)
    return [m[rows] for m in maps], 1


def rows_of(valid_index: Tensor, num_frames: int) -> Tensor:
    """Return the rows (B,) of one frame per clip among B*T frames.

    Args:
        valid_index: (B,) long, positions in the clips.
        num_frames: T.
    """
    return valid_index + num_frames * torch.arange(
        len(valid_index), device=valid_index.device)


def join_levels(parts: list[Sequence[Tensor]]) -> Sequence[Tensor]:
    """Concatenate the maps of consecutive frames, level by level.

    The list is emptied, so the parts of a level are freed once it is joined.

    Args:
        parts: maps (n, C_i, h_i, w_i) of each chunk of frames.
    """
    if len(parts) == 1:
        return parts[0]
    levels = list(zip(*parts, strict=True))
    parts.clear()
    return [torch.cat(levels.pop(0)) for _ in range(len(levels))]


def padding_masks(image_sizes: Tensor, frames: Tensor,
                  shapes: Sequence[tuple[int, int]]
                  ) -> tuple[Tensor, ...] | None:
    """Mark the padded cells of each level.

    Args:
        image_sizes: (B, 2), (height, width) without padding, on the CPU.
        frames: (..., H, W), padded.
        shapes: (h_i, w_i) of each level.

    Returns:
        (B, h_i, w_i) bool each, nearest samples of the pixels' mask; None
        where no image has padding, and in ``torch.export``.
    """
    if torch.compiler.is_exporting():
        return None  # an exported graph has one size of frames, unpadded
    height, width = frames.shape[-2:]
    if all(size == [height, width] for size in image_sizes.tolist()):
        return None
    sizes = image_sizes.to(frames.device, non_blocking=True)
    rows = torch.arange(height, device=sizes.device) >= sizes[:, :1]
    columns = torch.arange(width, device=sizes.device) >= sizes[:, 1:]
    mask = (rows[:, :, None] | columns[:, None])[:, None].float()
    return tuple(F.interpolate(mask, s)[:, 0].bool() for s in shapes)


@torch.no_grad()
def check_channels(backbone: nn.Module,
                   backbone_channels: Sequence[int]) -> None:
    """Compare ``backbone_channels`` with the maps of a blank frame.

    Raises:
        ValueError: the backbone returns other channels.
    """
    like = next(backbone.parameters(), torch.zeros(1))
    frames = like.new_zeros(1, 1, 3, 64, 64)
    modes = [(module, module.training) for module in backbone.modules()]
    for module, _ in modes:  # changes no statistics, draws no random numbers
        module.training = False
    maps, _ = run_backbone(backbone, frames)
    for module, mode in modes:
        module.training = mode
    found = tuple(m.shape[1] for m in maps)
    if found != tuple(backbone_channels):
        raise ValueError(
            f'backbone_channels={tuple(backbone_channels)}, but the backbone '
            f'({type(backbone).__name__}) returns maps of {found} channels: '
            'set backbone_channels to these')
