import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from mmcv.cnn.bricks.transformer import FFN, PatchEmbed, PatchMerging
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmrvos.conversion import convert_video_swin
from mmrvos.registry import MODELS
from mmrvos.utils import load_weights, read_checkpoint

from ..checkpointing import Checkpointed

Size = tuple[int, int, int]  # (time, height, width)


def fit_window(size: Size, window: Size, shift: Size) -> tuple[Size, Size]:
    """Clip window and shift to a map; an axis within one window is not split.

    >>> fit_window((3, 20, 7), (8, 7, 7), (4, 3, 3))
    ((3, 7, 7), (0, 3, 0))
    """
    fits = [length <= w for length, w in zip(size, window, strict=True)]
    return (tuple(n if fit else w
                  for n, w, fit in zip(size, window, fits, strict=True)),
            tuple(0 if fit else s
                  for s, fit in zip(shift, fits, strict=True)))


def window_partition(x: Tensor, window: Size) -> Tensor:
    """Convert (B, w_t, H, W, C) to (B * windows, w_t * w_h * w_w, C)."""
    batch, _, height, width, _ = x.shape
    x = x.view(batch, window[0], height // window[1], window[1],
               width // window[2], window[2], -1)
    return x.permute(0, 2, 4, 1, 3, 5, 6).reshape(
        -1, window[0] * window[1] * window[2], x.shape[-1])


def window_reverse(windows: Tensor, window: Size, height: int,
                   width: int) -> Tensor:
    """Invert :func:`window_partition`."""
    x = windows.view(-1, height // window[1], width // window[2], *window,
                     windows.shape[-1])
    return x.permute(0, 3, 1, 4, 2, 5, 6).reshape(-1, window[0], height, width,
                                                  windows.shape[-1])


def shift_regions(size: Size, window: Size, shift: Size,
                  device: torch.device) -> Tensor:
    """Label the tokens that were neighbours before the roll.

    Returns:
        (T, H, W) long; attention is among tokens of a window with equal
        labels.
    """
    axes = []
    for length, w, s in zip(size, window, shift, strict=True):
        position = torch.arange(length, device=device)
        axes.append((position >= length - w).long() +
                    (position >= length - s).long() if s else position * 0)
    time, rows, columns = axes
    return time[:, None, None] * 9 + rows[:, None] * 3 + columns


def relative_index(window: Size) -> Tensor:
    """Compute the row of the bias table for each pair of tokens of a window.

    Returns:
        (N, N) long, N = w_t * w_h * w_w, tokens in (time, row, column) order.
    """
    axes = torch.meshgrid(*map(torch.arange, window), indexing='ij')
    index = 0
    for axis, w in zip(axes, window, strict=True):
        position = axis.flatten()
        index = index * (2 * w - 1) + position[:, None] - position + w - 1
    return index


class WindowAttention(BaseModule):
    """Attention within windows, with a relative position bias.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        window: the full window (time, height, width).
    """

    def __init__(self, embed_dims: int, num_heads: int, window: Size) -> None:
        super().__init__()
        self.num_heads = num_heads
        rows = math.prod(2 * w - 1 for w in window)
        self.relative_position_bias_table = nn.Parameter(
            torch.zeros(rows, num_heads))
        self.register_buffer('relative_position_index', relative_index(window),
                             persistent=False)
        self.qkv = nn.Linear(embed_dims, 3 * embed_dims)
        self.proj = nn.Linear(embed_dims, embed_dims)

    def bias(self, num_tokens: int) -> Tensor:
        """Return the relative position bias, (heads, N, N).

        A window that is clipped to a small map uses the first N rows and
        columns of the index of the full window. These are the true offsets if
        only time is clipped. Otherwise they are not, but the published weights
        were trained in this way.
        """
        index = self.relative_position_index[:num_tokens, :num_tokens]
        return self.relative_position_bias_table[index].movedim(
            -1, 0).contiguous()

    def forward(self, x: Tensor, regions: Tensor | None) -> Tensor:
        """Apply attention to the tokens of each window.

        Args:
            x: (B * windows, N, C).
            regions: (windows, N), see :func:`shift_regions`; None for
                attention among all tokens of a window.

        Returns:
            (B * windows, N, C).
        """
        qkv = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        bias = self.bias(x.shape[1])[None]
        if regions is not None:
            apart = regions[:, None, :, None] != regions[:, None, None]
            bias = bias + apart.to(bias.dtype) * -100
            bias = bias.repeat(len(x) // len(regions), 1, 1, 1)
        out = F.scaled_dot_product_attention(
            query, key, value, attn_mask=bias.to(query.dtype))
        return self.proj(out.transpose(1, 2).flatten(2))


class VideoSwinBlock(BaseModule):
    """Window attention and a feed-forward network, pre-norm.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        window: the full window (time, height, width).
        shift: of the windows, in cells.
        feedforward_channels: width of the feed-forward network.
        drop_path: probability of skipping a branch, per clip.
    """

    def __init__(self, embed_dims: int, num_heads: int, window: Size,
                 shift: Size, feedforward_channels: int,
                 drop_path: float) -> None:
        super().__init__()
        self.window = window
        self.shift = shift
        self.norm1 = nn.LayerNorm(embed_dims)
        self.attn = WindowAttention(embed_dims, num_heads, window)
        self.norm2 = nn.LayerNorm(embed_dims)
        self.ffn = FFN(
            embed_dims,
            feedforward_channels,
            act_cfg=dict(type='GELU'),
            add_identity=False)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to (B, T, H, W, C)."""
        x = x + self.drop_path(self.attend(x))
        # some frames at a time, since the hidden layer is 4 times as wide
        return x + self.drop_path(
            torch.cat([
                self.ffn(self.norm2(frames))
                for frames in x.split(self.window[0], dim=1)
            ], dim=1))

    def attend(self, x: Tensor) -> Tensor:
        """Apply attention within (shifted) windows to (B, T, H, W, C)."""
        size = x.shape[1:4]
        window, shift = fit_window(size, self.window, self.shift)
        x = self.norm1(x)
        pads = [-n % w for n, w in zip(size, window, strict=True)]
        if any(pads):
            # zeros after the norm, to which tokens attend: the official code
            x = F.pad(x, (0, 0, 0, pads[2], 0, pads[1], 0, pads[0]))
        height, width = x.shape[2:4]
        regions = None
        if any(shift):
            x = x.roll([-s for s in shift], (1, 2, 3))
            regions = shift_regions(x.shape[1:4], window, shift, x.device)
            regions = regions[None, ..., None].split(window[0], dim=1)
        # There is no attention between windows of different times, so the
        # windows of one time are processed at once, which saves memory.
        rows = []
        for index, row in enumerate(x.split(window[0], dim=1)):
            apart = None
            if regions is not None:
                apart = window_partition(regions[index], window)[..., 0]
            row = self.attn(window_partition(row, window), apart)
            rows.append(window_reverse(row, window, height, width))
        x = torch.cat(rows, dim=1)
        if any(shift):
            x = x.roll(shift, (1, 2, 3))
        return x[:, :size[0], :size[1], :size[2]]


@MODELS.register_module()
class VideoSwinTransformer(Checkpointed, BaseModule):
    """Video Swin Transformer (Liu et al., CVPR 2022) for dense prediction.

    A patch covers a single frame, so the number of frames stays the same, and
    clips may have any length and size. The maps are those before each patch
    merging, without a norm, as in ReferFormer, MTTR and SOC.

    Args:
        embed_dims: channels of the first stage; each further one has twice
            as many.
        depths: blocks of each stage.
        num_heads: attention heads of each stage.
        window_size: frames, rows and columns of an attention window.
        drop_path_rate: of the last block; it increases linearly from 0.
        out_indices: stages whose maps are returned. Later stages are not
            built, but count for the drop path rates.
        with_cp: compute the blocks again in the backward pass instead of
            keeping their activations (activation checkpointing).
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` takes the
            official Kinetics checkpoints: their patches span two frames, and
            the two taps are summed.
    """

    #: takes (B, T, 3, H, W), not single frames
    temporal = True

    def __init__(self,
                 *,
                 embed_dims: int = 96,
                 depths: Sequence[int] = (2, 2, 6, 2),
                 num_heads: Sequence[int] = (3, 6, 12, 24),
                 window_size: Sequence[int] = (8, 7, 7),
                 drop_path_rate: float = 0.2,
                 out_indices: Sequence[int] = (0, 1, 2, 3),
                 with_cp: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.out_indices = tuple(out_indices)
        self.checkpointing = with_cp
        window = tuple(window_size)
        norm = dict(type='LN')
        self.patch_embed = PatchEmbed(
            embed_dims=embed_dims, kernel_size=4, stride=4, norm_cfg=norm)
        rates = iter(torch.linspace(0, drop_path_rate, sum(depths)).tolist())
        self.stages, self.downsamples = ModuleList(), ModuleList()
        for stage in range(max(out_indices) + 1):
            channels = embed_dims * 2**stage
            self.stages.append(
                ModuleList(
                    VideoSwinBlock(
                        channels,
                        num_heads[stage],
                        window,
                        tuple(w // 2 if block % 2 else 0 for w in window),
                        4 * channels,
                        drop_path=next(rates))
                    for block in range(depths[stage])))
            if stage < max(out_indices):
                self.downsamples.append(
                    PatchMerging(channels, 2 * channels, norm_cfg=norm))

    def init_weights(self) -> None:
        """Truncated normal matrices, or pretrained weights.

        Raises:
            CheckpointMismatch, ValueError, OSError: the checkpoint does not
                fit, is none, or cannot be fetched.
        """
        if self.init_cfg is not None:
            source = self.init_cfg['checkpoint']
            weights, _ = convert_video_swin(
                read_checkpoint(source)['state_dict'], len(self.stages))
            load_weights(self, weights, source=source)
            return
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, WindowAttention):
                nn.init.trunc_normal_(
                    module.relative_position_bias_table, std=0.02)

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Encode clips.

        Args:
            frames: (B, T, 3, H, W).

        Returns:
            (B*T, C_i, h_i, w_i) of each of ``out_indices``; stage i has
            stride 4 * 2**i, sizes are rounded up.
        """
        batch, num_frames = frames.shape[:2]
        x, size = self.patch_embed(frames.flatten(0, 1))
        maps = []
        for index, blocks in enumerate(self.stages):
            if index > 0:
                x, size = self.downsamples[index - 1](
                    x.flatten(0, 1).flatten(1, 2), size)
            x = x.view(batch, num_frames, *size, -1)
            for block in blocks:
                x = self.run(block, x)
            if index in self.out_indices:
                maps.append(x.flatten(0, 1).permute(0, 3, 1, 2))
        return tuple(maps)

    def run(self, block: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        return self.recomputed(block, x)
