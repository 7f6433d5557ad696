from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule, ModuleList, caffe2_xavier_init
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..checkpointing import Checkpointed
from ..chunks import chunk_slices
from ..features import MultiscaleFeatures, TextFeatures
from ..layers import (
    Dropout,
    FeedForward,
    Memory,
    in_rows,
    join_frames,
    split_frames,
    to_maps,
    to_tokens,
)


class VisionLanguageBlock(Checkpointed, BaseModule):
    """Self-attention across frames, then cross-attention to the words.

    All norms are post-norms (ReferFormer, section 3.4). There are two steps
    instead of a ``forward``: :meth:`attend_frames` needs all frames,
    :meth:`attend_words` takes any of them.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        feedforward_channels: width of the feed-forward network.
        dropout: in all layers, and of the attention weights.
        reduction: factor by which height and width of queries and keys are
            reduced for the self-attention.
    """

    def __init__(self, embed_dims: int, num_heads: int,
                 feedforward_channels: int, dropout: float,
                 reduction: int) -> None:
        super().__init__()
        self.reduction = reduction
        self.self_attn = nn.MultiheadAttention(
            embed_dims, num_heads, dropout=dropout, batch_first=True)
        self.text_attn = nn.MultiheadAttention(
            embed_dims, num_heads, dropout=dropout, batch_first=True)
        self.ffn = FeedForward(embed_dims, feedforward_channels, dropout)
        self.norms = ModuleList(nn.LayerNorm(embed_dims) for _ in range(3))
        self.dropout = Dropout(dropout)

    def init_weights(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def attend_words(self, x: Tensor, attended: Tensor | None,
                     position: Tensor, text: TextFeatures) -> Tensor:
        """Apply the per-pixel layers that follow the self-attention.

        Args:
            x: (P*T, C, h, w).
            attended: (P*T, C, h', w'), see :meth:`attend_frames`; None where
                :meth:`merge` has already added it to ``x``.
            position: (P or 1, C, h, w).
            text: P expressions.

        Returns:
            (P*T, C, h, w).
        """
        tokens = self.recomputed(self.word_attention, x, attended, position,
                                 text)
        tokens = in_rows(lambda rows: self.norms[2](self.ffn(rows)), tokens)
        return to_maps(tokens, len(x) // len(text.words), x.shape[-2:])

    def merge(self, x: Tensor, attended: Tensor, num_frames: int) -> Tensor:
        """Add the self-attention to the maps and normalise the sum.

        Args:
            x, attended: see :meth:`attend_words`.
            num_frames: T.

        Returns:
            (P, T*h*w, C).
        """
        if attended.shape != x.shape:
            attended = F.interpolate(
                attended, x.shape[-2:], mode='bilinear', align_corners=False)
        return self.norms[0](
            to_tokens(x + self.dropout(attended), num_frames))

    def word_attention(self, x: Tensor, attended: Tensor | None,
                       position: Tensor, text: TextFeatures) -> Tensor:
        """Apply :meth:`attend_words` up to its feed-forward network.

        Returns:
            (P, T*h*w, C).
        """
        num_frames = len(x) // len(text.words)
        if attended is None:
            tokens = to_tokens(x, num_frames)
        else:
            tokens = self.merge(x, attended, num_frames)
        if len(position) > 1:
            position = position.repeat_interleave(num_frames, 0)
        positions = to_tokens(position.expand_as(x), num_frames)
        attended = self.text_attn(
            tokens + positions,
            text.words + text.positions,
            text.words,
            key_padding_mask=text.padding,
            need_weights=False)[0]
        return self.norms[1](tokens + self.dropout(attended))

    def shrink(self, x: Tensor) -> Tensor:
        """Subsample maps (..., C, h, w) for the self-attention."""
        if self.reduction == 1:
            return x
        return F.interpolate(
            x, tuple(max(side // self.reduction, 1) for side in x.shape[-2:]))

    def attend_frames(self, x: Tensor, position: Tensor,
                      padding: Tensor | None, num_frames: int) -> Tensor:
        """Apply self-attention to all pixels of a clip.

        Args:
            x: (P*T, C, h', w'), reduced.
            position: (P or 1, C, h, w), not reduced.
            padding: (P, h, w) bool, not reduced, or None.
            num_frames: T.

        Returns:
            (P*T, C, h', w').
        """
        position = self.shrink(position)
        if padding is not None:
            padding = self.shrink(padding[:, None].float())[:, 0].bool()
            padding = padding[:, None].expand(-1, num_frames, -1,
                                              -1).flatten(1)
        if len(position) > 1:
            position = position.repeat_interleave(num_frames, 0)
        keys = to_tokens(x + position, num_frames)
        attended = self.self_attn(
            keys,
            keys,
            to_tokens(x, num_frames),
            key_padding_mask=padding,
            need_weights=False)[0]
        return to_maps(attended, num_frames, x.shape[-2:])


@MODELS.register_module()
class CrossModalFPN(BaseModule):
    """ReferFormer's cross-modal feature pyramid, top-down from stride 32 to 4.

    Every level: 1x1 lateral convolution, vision-language block, plus the
    coarser level (nearest), 3x3 convolution. Behind an image backbone this is
    the only module that mixes the frames of a clip.

    Args:
        fine_channels: channels of the backbone's stride-4 map.
        embed_dims: C.
        mask_channels: channels of the mask features.
        num_heads, feedforward_channels, dropout: of the blocks.
        num_levels: levels of the pyramid, the stride-4 level included.
        reductions: of the blocks, fine to coarse; None is 1 at the coarsest
            level and twice as much at each finer one, which is official.

    Raises:
        ValueError: there is not one reduction per level.
    """

    def __init__(self,
                 *,
                 fine_channels: int,
                 embed_dims: int = 256,
                 mask_channels: int = 256,
                 num_heads: int = 8,
                 feedforward_channels: int = 2048,
                 dropout: float = 0.1,
                 num_levels: int = 4,
                 reductions: Sequence[int] | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        norm = dict(type='GN', num_groups=8)
        if reductions is None:
            reductions = [2**level for level in reversed(range(num_levels))]
        if len(reductions) != num_levels:
            raise ValueError(
                f'pixel_decoder.reductions={tuple(reductions)} has '
                f'{len(reductions)} values, but there are num_levels='
                f'{num_levels} levels, one per map of the backbone: remove '
                'reductions, or give one value per level')
        inputs = [fine_channels] + [embed_dims] * (num_levels - 1)
        self.laterals = ModuleList(
            ConvModule(c, embed_dims, 1, norm_cfg=norm, act_cfg=None)
            for c in inputs)
        self.blocks = ModuleList(
            VisionLanguageBlock(embed_dims, num_heads, feedforward_channels,
                                dropout, reduction)
            for reduction in reductions)
        self.outputs = ModuleList(
            ConvModule(
                embed_dims,
                embed_dims,
                3,
                padding=1,
                conv_cfg=dict(type='mmrvos.WinogradConv2d'),
                norm_cfg=norm) for _ in inputs)
        self.mask_features = nn.Conv2d(embed_dims, mask_channels, 3, padding=1)

    def init_weights(self) -> None:
        for conv in (*self.laterals, *self.outputs):
            caffe2_xavier_init(conv.conv)
        caffe2_xavier_init(self.mask_features)
        for block in self.blocks:
            block.init_weights()
        apply_init_cfg(self)

    def forward(self,
                clip: MultiscaleFeatures,
                memory: Memory,
                text: TextFeatures,
                project: bool = True) -> Tensor:
        """Compute the mask features of P clips.

        Args:
            clip: one clip per pair; its stride-4 map, padding and positions
                are used.
            memory: encoded levels; the coarsest (stride 64) is not used.
            text: P expressions.
            project: apply the last convolution, ``mask_features``.

        Returns:
            (P, T, mask_channels, h_0, w_0), stride 4; C channels if they are
            not projected.
        """
        maps = [clip.fine, *memory.maps()]
        coarse = None
        for index in reversed(range(len(self.laterals))):
            coarse = self.level(index, maps[index], coarse, clip, text,
                                project)
        return coarse.unflatten(0, (-1, clip.num_frames))

    def prepare(self, clip: MultiscaleFeatures) -> MultiscaleFeatures:
        """Compute the finest level up to its attention to the words.

        The stride-4 map comes from the backbone, so this part of the level is
        the same for all expressions of a video.

        Args:
            clip: of B videos.

        Returns:
            The clip with the result in ``prepared``, and without ``fine``.
        """
        block, size = self.blocks[0], clip.fine.shape[-2:]
        num_clips = len(clip.fine) // clip.num_frames
        chunks = frame_chunks(clip, num_clips * size.numel())
        parts = (
            block.merge(x, attended, len(x) // num_clips).unflatten(
                1, (-1, size.numel())).flatten(0, 1)
            for x, attended in self.attended_parts(0, clip.fine, clip, chunks))
        return replace(
            clip,
            fine=None,
            prepared=join_frames(parts, num_clips, clip.num_frames))

    def attended_parts(self, index: int, maps: Tensor,
                       clip: MultiscaleFeatures, chunks: Sequence[slice]
                       ) -> Iterator[tuple[Tensor, Tensor]]:
        """Compute the lateral maps of a level and their self-attention.

        Args:
            index, maps: see :meth:`level`.
            chunks: frames of each chunk.

        Yields:
            (P*t, C, h, w) and (P*t, C, h', w') for each chunk of t frames.
        """
        block = self.blocks[index]

        def laterals() -> Iterator[Tensor]:
            return map(self.laterals[index],
                       split_frames(maps, clip.num_frames, chunks))

        # The lateral maps of several chunks are computed twice instead of
        # kept: that is cheap and saves memory.
        held = list(laterals()) if len(chunks) == 1 else None
        reduced = join_frames(
            map(block.shrink, held or laterals()),
            len(maps) // clip.num_frames, clip.num_frames)
        attended = block.recomputed(
            block.attend_frames, reduced, clip.positions[index],
            None if clip.padding is None else clip.padding[index],
            clip.num_frames)
        yield from zip(
            held or laterals(),
            split_frames(attended, clip.num_frames, chunks),
            strict=True)

    def level(self, index: int, maps: Tensor | None, coarse: Tensor | None,
              clip: MultiscaleFeatures, text: TextFeatures,
              project: bool) -> Tensor:
        """Compute one level.

        The self-attention needs all frames; the other layers process chunks
        of ``clip.chunks.pixels`` pixels.

        Args:
            index: of the level, 0 for stride 4.
            maps: (P*T, C_i, h, w); None for a level that is prepared.
            coarse: the result for the next coarser level, or None.

        Returns:
            (P*T, C, h, w); mask features behind level 0, if projected.
        """
        block, position = self.blocks[index], clip.positions[index]
        size = position.shape[-2:]
        # each frame of a chunk is one of every clip
        chunks = frame_chunks(clip, len(text.words) * size.numel())

        def split(x: Tensor) -> Iterator[Tensor]:
            return split_frames(x, clip.num_frames, chunks)

        def join(parts: Iterable[Tensor]) -> Tensor:
            return join_frames(parts, len(text.words), clip.num_frames)

        def inputs() -> Iterable[tuple[Tensor, Tensor | None]]:
            if maps is not None:
                return self.attended_parts(index, maps, clip, chunks)
            return ((x.transpose(1, 2).unflatten(-1, size), None)
                    for x in split(clip.prepared))

        def finish() -> Iterator[Tensor]:
            coarser_parts = repeat(None, len(chunks))
            if coarse is not None:
                coarser_parts = split(coarse)
            for (x, update), coarser in zip(
                    inputs(), coarser_parts, strict=True):
                x = block.attend_words(x, update, position, text)
                if coarser is not None:
                    x = x + F.interpolate(coarser, x.shape[-2:])
                x = self.outputs[index](x)
                yield self.mask_features(x) if project and not index else x

        return join(finish())


def frame_chunks(clip: MultiscaleFeatures, pixels: int) -> list[slice]:
    """Split the frames of a clip into chunks.

    Args:
        clip: its ``chunks.pixels`` is the limit.
        pixels: per frame, of all clips together.
    """
    return list(
        chunk_slices(clip.num_frames, clip.chunks.pixels, cost=pixels))
