from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmcv.cnn.bricks.transformer import FFN
from mmengine.model import BaseModule, ModuleList, caffe2_xavier_init
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..features import ClipFeatures, TextFeatures
from ..layers import Memory, join_frames, split_frames, to_maps, to_tokens

# At test time so many pixels go through what looks at each of them alone, the
# feed-forward network with a hidden layer 8 times as wide as the map above
# all: beside its maps, memory does not grow with the clip.
PIXELS_AT_ONCE = 2**14


class VisionLanguageBlock(BaseModule):
    """Pixels attend to the pixels of all frames, then to the words.

    Post-norm throughout (ReferFormer, section 3.4). Two steps in place of a
    ``forward``: :meth:`attend_frames` needs all frames, :meth:`attend_words`
    takes any of them.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        feedforward_channels: width of the feed-forward network.
        dropout: everywhere, in the attention weights too.
        reduction: factor by which height and width shrink for the attention
            among pixels, queries as well as keys.
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
        self.ffn = FFN(
            embed_dims, feedforward_channels, ffn_drop=dropout)
        self.norms = ModuleList(nn.LayerNorm(embed_dims) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def init_weights(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def attend_words(self, x: Tensor, attended: Tensor, position: Tensor,
                     text: TextFeatures) -> Tensor:
        """What comes behind the attention among pixels, pixel by pixel.

        Args:
            x: (P*T, C, h, w).
            attended: (P*T, C, h', w'), see :meth:`attend_frames`.
            position: (P or 1, C, h, w).
            text: P expressions.

        Returns:
            (P*T, C, h, w).
        """
        size = x.shape[-2:]
        if attended.shape != x.shape:
            attended = F.interpolate(
                attended, size, mode='bilinear', align_corners=False)
        num_frames = len(x) // len(text.words)
        if len(position) > 1:
            position = position.repeat_interleave(num_frames, 0)
        tokens = self.norms[0](
            to_tokens(x + self.dropout(attended), num_frames))
        places = to_tokens(position.expand_as(x), num_frames)
        attended = self.text_attn(
            tokens + places,
            text.words + text.positions,
            text.words,
            key_padding_mask=text.padding,
            need_weights=False)[0]
        tokens = self.norms[1](tokens + self.dropout(attended))
        return to_maps(self.norms[2](self.ffn(tokens)), num_frames, size)

    def shrink(self, x: Tensor) -> Tensor:
        """Nearest samples of maps (..., C, h, w), as the attention among
        pixels takes them."""
        if self.reduction == 1:
            return x
        return F.interpolate(
            x, tuple(max(side // self.reduction, 1) for side in x.shape[-2:]))

    def attend_frames(self, x: Tensor, position: Tensor,
                      padding: Tensor | None, num_frames: int) -> Tensor:
        """Attention among all pixels of a clip, shape in, shape out.

        Args:
            x: (P*T, C, h', w'), shrunk.
            position: (P or 1, C, h, w), not shrunk.
            padding: (P, h, w) bool, not shrunk, or None.
            num_frames: T.
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
    coarser level (nearest), 3x3 convolution. Here, and nowhere else behind
    the backbone, do the frames of a clip see each other.

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

    def forward(self, clip: ClipFeatures, memory: Memory,
                text: TextFeatures) -> Tensor:
        """Mask features of P clips.

        Args:
            clip: its stride-4 map, paddings and positions are used.
            memory: encoded levels; the coarsest (stride 64) is not used.
            text: P expressions.

        Returns:
            (P, T, mask_channels, h_0, w_0), stride 4.
        """
        maps = [clip.fine, *memory.maps()]
        coarse = None
        for index in reversed(range(len(self.laterals))):
            coarse = self.level(index, maps[index], coarse, clip, text)
        return coarse.unflatten(0, (-1, clip.num_frames))

    def level(self, index: int, maps: Tensor, coarse: Tensor | None,
              clip: ClipFeatures, text: TextFeatures) -> Tensor:
        """One level of the way down; only the attention among frames needs
        all of them at once.

        Args:
            index: of the level, 0 for stride 4.
            maps: (P*T, C_i, h, w).
            coarse: what this returned for the level above, or None.

        Returns:
            (P*T, C, h, w); mask features behind level 0.
        """
        block, position = self.blocks[index], clip.positions[index]
        step = clip.num_frames
        if not torch.is_grad_enabled():
            pixels = len(text.words) * maps.shape[-2:].numel()  # of one frame
            step = max(1, PIXELS_AT_ONCE // pixels)

        def split(x: Tensor) -> Iterator[Tensor]:
            return split_frames(x, clip.num_frames, step)

        def join(parts: Iterable[Tensor]) -> Tensor:
            return join_frames(parts, len(text.words), clip.num_frames)

        def laterals() -> Iterator[Tensor]:
            return map(self.laterals[index], split(maps))

        # several parts are cheap enough to be computed twice, and not held
        held = list(laterals()) if step >= clip.num_frames else None
        attended = block.attend_frames(
            join(map(block.shrink, held or laterals())), position,
            None if clip.padding is None else clip.padding[index],
            clip.num_frames)

        def finish() -> Iterator[Tensor]:
            above = repeat(None, -(-clip.num_frames // step))
            if coarse is not None:
                above = split(coarse)
            for x, seen, coarser in zip(
                    held or laterals(), split(attended), above, strict=True):
                x = block.attend_words(x, seen, position, text)
                if coarser is not None:
                    x = x + F.interpolate(coarser, x.shape[-2:])
                x = self.outputs[index](x)
                yield x if index else self.mask_features(x)

        return join(finish())
