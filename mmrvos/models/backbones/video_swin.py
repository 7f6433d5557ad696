import itertools
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
from ..chunks import chunk_slices
from ..layers import in_rows, join_frames, rows_at_once, split_frames

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


def window_groups(size: Size, window: Size, shift: Size,
                  device: torch.device) -> list[tuple[Tensor, Tensor | None]]:
    """List the tokens of all windows, grouped by their attention mask.

    Windows tile the map, which is padded to a multiple of the window and
    rolled by ``-shift``. The last window of a shifted axis has tokens of both
    ends of this axis, between which there is no attention. All other windows
    need no mask.

    Args:
        size, window, shift: see :func:`fit_window`.

    Returns:
        For each group, (n, N) long, the tokens of n windows in (time, row,
        column) order, -1 for padding; and (N,) long, attention is among
        tokens with equal labels, or None for all tokens.
    """
    index, regions, parts = 0, [], []
    for axis, (length, w, s) in enumerate(
            zip(size, window, shift, strict=True)):
        number = -(-length // w)
        position = (torch.arange(number * w, device=device) + s) % (number * w)
        # very negative: stays negative when the other axes are added
        position = position.where(position < length, -math.prod(size))
        view = [1] * 6
        view[axis], view[axis + 3] = number, w
        stride = math.prod(size[axis + 1:])
        index = index + (position * stride).view(view)
        regions.append((torch.arange(w, device=device) >= w - s).long().view(
            [-1 if a == axis else 1 for a in range(3)]))
        parts.append([slice(0, -1), slice(-1, None)] if s else [slice(None)])
    groups = []
    for chosen in itertools.product(*parts):
        wraps = [part.start == -1 for part in chosen]
        labels = None
        if any(wraps):
            labels = sum(region * 2**axis
                         for axis, region in enumerate(regions)
                         if wraps[axis]).expand(window).flatten()
        tokens = index[chosen].flatten(3).flatten(0, 2)
        groups.append((tokens.clamp(min=-1), labels))
    return groups


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

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Apply attention to the tokens of each window.

        Args:
            x: (B * windows, N, C).
            bias: (heads, N, N), added to the scaled products.

        Returns:
            (B * windows, N, C).
        """
        qkv = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(
            query, key, value, attn_mask=bias[None].to(query.dtype))
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
        x = self.drop_path(self.attend(x)).add_(x)
        return self.drop_path(self.feed_forward(x)).add_(x)

    def feed_forward(self, x: Tensor) -> Tensor:
        """Apply norm and feed-forward network to (B, T, H, W, C)."""
        batch, num_frames = x.shape[:2]
        # The hidden layer is 4 times as wide, so a GPU processes some frames
        # at a time in testing.
        limit = None if torch.is_grad_enabled() else self.window[0]
        parts = (
            in_rows(lambda rows: self.ffn(self.norm2(rows)), frames)
            for frames in split_frames(
                x.flatten(0, 1), num_frames, chunk_slices(num_frames, limit)))
        return join_frames(parts, batch, num_frames).view_as(x)

    def attend(self, x: Tensor) -> Tensor:
        """Apply attention within (shifted) windows to (B, T, H, W, C)."""
        batch, *size, _ = x.shape
        window, shift = fit_window(size, self.window, self.shift)
        groups = window_groups(size, window, shift, x.device)
        num_tokens = math.prod(window)
        # At most the windows of one time at once, which saves memory.
        limit = math.prod(
            -(-n // w) for n, w in zip(size[1:], window[1:], strict=True))
        rows = rows_at_once(x)
        if rows is not None:
            limit = max(1, rows // num_tokens)
        bias = self.attn.bias(num_tokens)
        tokens, attended = x.flatten(1, 3), []
        for index, labels in groups:
            mask = bias
            if labels is not None:
                apart = labels[:, None] != labels
                mask = bias + apart.to(bias.dtype) * -100
            for part in index.split(limit):
                windows = self.gather(tokens, part.flatten())
                windows = self.attn(
                    windows.view(-1, num_tokens, windows.shape[-1]), mask)
                attended.append(windows.view(batch, -1, windows.shape[-1]))
        order = torch.cat([index.flatten() for index, _ in groups])
        inverse = order.new_empty(tokens.shape[1] + 1)
        # padding is written to the last entry, -1
        inverse[order] = torch.arange(len(order), device=order.device)
        return torch.cat(
            attended, dim=1).index_select(1, inverse[:-1]).view_as(x)

    def gather(self, tokens: Tensor, index: Tensor) -> Tensor:
        """Normalise some tokens.

        Args:
            tokens: (B, S, C).
            index: (n,) long, -1 for padding.

        Returns:
            (B, n, C), zero for padding, to which tokens attend: the official
            code.
        """
        chosen = self.norm1(tokens.index_select(1, index.clamp(min=0)))
        return chosen.masked_fill((index < 0)[:, None], 0.)


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
