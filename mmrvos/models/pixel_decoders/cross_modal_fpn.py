from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule, ModuleList, caffe2_xavier_init
from torch import Tensor, nn

from mmrvos.registry import MODELS

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

    def attend_words(self, x: Tensor, attended: Tensor, position: Tensor,
                     text: TextFeatures) -> Tensor:
        """Apply the per-pixel layers that follow the self-attention.

        Args:
            x: (P*T, C, h, w).
            attended: (P*T, C, h', w'), see :meth:`attend_frames`.
            position: (P or 1, C, h, w).
            text: P expressions.

        Returns:
            (P*T, C, h, w).
        """
        tokens = self.recomputed(self.word_attention, x, attended, position,
                                 text)
        tokens = in_rows(lambda rows: self.norms[2](self.ffn(rows)), tokens)
        return to_maps(tokens, len(x) // len(text.words), x.shape[-2:])

    def word_attention(self, x: Tensor, attended: Tensor, position: Tensor,
                       text: TextFeatures) -> Tensor:
        """Apply :meth:`attend_words` up to its feed-forward network.

        Returns:
            (P, T*h*w, C).
        """
        if attended.shape != x.shape:
            attended = F.interpolate(
                attended, x.shape[-2:], mode='bilinear', align_corners=False)
        num_frames = len(x) // len(text.words)
        if len(position) > 1:
            position = position.repeat_interleave(num_frames, 0)
        tokens = self.norms[0](
            to_tokens(x + self.dropout(attended), num_frames))
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
            ConvModule(embed_dims, embed_dims, 3, padding=1, norm_cfg=norm)
            for _ in inputs)
        self.mask_features = nn.Conv2d(embed_dims, mask_channels, 3, padding=1)

    def init_weights(self) -> None:
        for conv in (*self.laterals, *self.outputs):
            caffe2_xavier_init(conv.conv)
        caffe2_xavier_init(self.mask_features)
        for block in self.blocks:
            block.init_weights()

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

    def level(self, index: int, maps: Tensor, coarse: Tensor | None,
              clip: MultiscaleFeatures, text: TextFeatures,
              project: bool) -> Tensor:
        """Compute one level.

        The self-attention needs all frames; the other layers process chunks
        of ``clip.chunks.pixels`` pixels.

        Args:
            index: of the level, 0 for stride 4.
            maps: (P*T, C_i, h, w).
            coarse: the result for the next coarser level, or None.

        Returns:
            (P*T, C, h, w); mask features behind level 0, if projected.
        """
        block, position = self.blocks[index], clip.positions[index]
        # each frame of a chunk is one of every clip
        pixels_per_frame = len(text.words) * maps.shape[-2:].numel()
        chunks = list(
            chunk_slices(clip.num_frames, clip.chunks.pixels,
                         cost=pixels_per_frame))

        def split(x: Tensor) -> Iterator[Tensor]:
            return split_frames(x, clip.num_frames, chunks)

        def join(parts: Iterable[Tensor]) -> Tensor:
            return join_frames(parts, len(text.words), clip.num_frames)

        def laterals() -> Iterator[Tensor]:
            return map(self.laterals[index], split(maps))

        # The lateral maps of several chunks are computed twice instead of
        # kept: that is cheap and saves memory.
        held = list(laterals()) if len(chunks) == 1 else None
        attended = block.recomputed(
            block.attend_frames,
            join(map(block.shrink, held or laterals())), position,
            None if clip.padding is None else clip.padding[index],
            clip.num_frames)

        def finish() -> Iterator[Tensor]:
            coarser_parts = repeat(None, len(chunks))
            if coarse is not None:
                coarser_parts = split(coarse)
            for x, update, coarser in zip(
                    held or laterals(), split(attended), coarser_parts,
                    strict=True):
                x = block.attend_words(x, update, position, text)
                if coarser is not None:
                    x = x + F.interpolate(coarser, x.shape[-2:])
                x = self.outputs[index](x)
                yield self.mask_features(x) if project and not index else x

        return join(finish())
