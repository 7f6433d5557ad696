from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmdet.models.layers.transformer.deformable_detr_layers import (
    DeformableDetrTransformerDecoderLayer,
    DeformableDetrTransformerEncoderLayer,
)
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..checkpointing import Checkpointed
from ..chunks import WHOLE, Chunks, chunk_slices
from ..derive import derive
from ..features import MultiscaleFeatures
from .deformable_attention import DeformableAttention, Shapes
from .feed_forward import FeedForward
from .tokens import in_rows, join_frames


def replace_ffn(ffn: nn.Module, cfg: dict) -> FeedForward:
    """Build our network with the weights of mmcv's, drawing no random
    numbers."""
    with torch.random.fork_rng(devices=[]):
        ours = FeedForward(**cfg)
    ours.load_state_dict(ffn.state_dict())
    return ours


class DeformableEncoderLayer(Checkpointed,
                             DeformableDetrTransformerEncoderLayer):
    """mmdet's layer around our attention and feed-forward network."""

    def _init_layers(self) -> None:
        super()._init_layers()
        self.self_attn = DeformableAttention(**self.self_attn_cfg)
        self.ffn = replace_ffn(self.ffn, self.ffn_cfg)

    def forward(self, query: Tensor, **kwargs) -> Tensor:
        """Apply the layer to (F, cells, C).

        Args:
            kwargs: of :class:`DeformableAttention`.
        """
        query = self.recomputed(
            self.self_attn, query=query, key=query, value=query, **kwargs)
        first, second = self.norms
        return in_rows(lambda rows: second(self.ffn(first(rows))), query)


class DeformableDecoderLayer(DeformableDetrTransformerDecoderLayer):
    """mmdet's layer around our attention and feed-forward network."""

    def _init_layers(self) -> None:
        super()._init_layers()
        self.cross_attn = DeformableAttention(**self.cross_attn_cfg)
        self.ffn = replace_ffn(self.ffn, self.ffn_cfg)


def layer_cfgs(embed_dims: int, num_heads: int, num_levels: int,
               num_points: int, feedforward_channels: int,
               dropout: float) -> tuple[dict, dict]:
    """Return the configs of deformable attention and feed-forward network."""
    attention = dict(
        embed_dims=embed_dims,
        num_heads=num_heads,
        num_levels=num_levels,
        num_points=num_points,
        dropout=dropout,
        batch_first=True)
    ffn = dict(
        embed_dims=embed_dims,
        feedforward_channels=feedforward_channels,
        ffn_drop=dropout)
    return attention, ffn


def init_deformable(module: nn.Module) -> None:
    """Initialise matrices with Xavier, deformable attention with its own
    scheme."""
    for parameter in module.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
    for child in module.modules():
        if isinstance(child, DeformableAttention):
            child.init_weights()


@dataclass
class Memory:
    """All levels of P clips in one sequence, for deformable attention.

    Args:
        tokens: (P*T, sum h_i*w_i, C).
        shapes: (h_i, w_i) of each level.
        padding: (P*T, sum h_i*w_i) bool, or None without padding.
        valid_ratios: (P*T, levels, 2), the part of (width, height) of each
            level that is not padding.
        chunks: limits of what the decoder computes at once.
    """
    tokens: Tensor
    shapes: Shapes
    padding: Tensor | None
    valid_ratios: Tensor
    chunks: Chunks = WHOLE

    def maps(self) -> list[Tensor]:
        """Return the levels as maps (P*T, C, h_i, w_i)."""
        parts = self.tokens.split([h * w for h, w in self.shapes], dim=1)
        return [
            part.transpose(1, 2).unflatten(-1, shape)
            for part, shape in zip(parts, self.shapes, strict=True)
        ]


def flatten_levels(levels: tuple[Tensor, ...],
                   padding: tuple[Tensor, ...] | None,
                   num_frames: int,
                   chunks: Chunks = WHOLE) -> Memory:
    """Concatenate the cells of all levels to one sequence.

    Args:
        levels: (P*T, C, h_i, w_i) each.
        padding: (P, h_i, w_i) of each level, or None.
        num_frames: T.
        chunks: see :class:`Memory`.
    """
    shapes = [(x.shape[-2], x.shape[-1]) for x in levels]
    tokens = torch.cat([x.flatten(2).transpose(1, 2) for x in levels], dim=1)
    if padding is None:
        ratios = tokens.new_ones(len(tokens), len(levels), 2)
        return Memory(tokens, shapes, None, ratios, chunks)
    # from the first row and the first column of the mask, as in the official
    # code
    ratios = torch.stack([
        torch.stack(((~p[:, 0]).float().mean(-1),
                     (~p[:, :, 0]).float().mean(-1)), dim=-1)
        for p in padding
    ], dim=1)
    flat = torch.cat([p.flatten(1) for p in padding], dim=-1)
    return Memory(tokens, shapes, flat.repeat_interleave(num_frames, 0),
                  ratios.repeat_interleave(num_frames, 0), chunks)


def take_frames(x: Tensor | None, frames: slice) -> Tensor | None:
    """Take the rows of some frames; a single row is shared by all frames."""
    return x if x is None or len(x) == 1 else x[frames]


@MODELS.register_module()
class DeformableEncoder(BaseModule):
    """Encode frames with Deformable DETR's encoder.

    Frames are encoded independently, unless ``inter_frame`` mixes them.

    Args:
        num_layers: encoder layers.
        embed_dims: C.
        num_heads, num_levels, num_points: of deformable attention.
        feedforward_channels: width of the feed-forward network.
        dropout: after attention and inside the feed-forward network.
        inter_frame: config of a layer after each encoder layer with attention
            across frames, see :class:`FrameAttention`; it gets
            ``embed_dims``. None for no such layer.

    Raises:
        ValueError: ``inter_frame`` sets another ``embed_dims``.
    """

    def __init__(self,
                 *,
                 num_layers: int = 4,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 num_levels: int = 4,
                 num_points: int = 4,
                 feedforward_channels: int = 2048,
                 dropout: float = 0.1,
                 inter_frame: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        attention, ffn = layer_cfgs(embed_dims, num_heads, num_levels,
                                    num_points, feedforward_channels, dropout)
        self.layers = ModuleList(
            DeformableEncoderLayer(
                self_attn_cfg=dict(attention), ffn_cfg=dict(ffn))
            for _ in range(num_layers))
        self.inter_frame = inter_frame and ModuleList(
            MODELS.build(
                derive('encoder.inter_frame', inter_frame,
                       embed_dims=('encoder.embed_dims', embed_dims)))
            for _ in range(num_layers))
        self.level_embed = nn.Parameter(torch.randn(num_levels, embed_dims))

    def init_weights(self) -> None:
        init_deformable(self.layers)
        for layer in self.inter_frame or ():
            layer.init_weights()
        apply_init_cfg(self)

    def forward(self, levels: tuple[Tensor, ...],
                clip: MultiscaleFeatures) -> Memory:
        """Encode the fused levels.

        Args:
            levels: (P*T, C, h_i, w_i) each, strides 8, 16, 32, 64.
            clip: padding and positions of strides 4, 8, ...
        """
        padding = None if clip.padding is None else clip.padding[1:]
        memory = flatten_levels(levels, padding, clip.num_frames, clip.chunks)
        positions = torch.cat([
            position.flatten(2) + embed[:, None] for position, embed in zip(
                clip.positions[1:], self.level_embed, strict=True)
        ], dim=-1).transpose(1, 2)
        if len(positions) > 1:
            positions = positions.repeat_interleave(clip.num_frames, 0)
        references = self.reference_points(memory)
        if self.inter_frame is None:
            self.encode(self.layers, memory, positions, references)
            return memory
        for layer, inter_frame in zip(
                self.layers, self.inter_frame, strict=True):
            self.encode([layer], memory, positions, references)
            memory.tokens = inter_frame(memory.tokens, clip.num_frames,
                                        clip.chunks.queries)
        return memory

    def encode(self, layers: Sequence[nn.Module], memory: Memory,
               positions: Tensor, references: Tensor) -> None:
        """Apply layers that treat frames independently to the tokens."""
        inputs = (memory.tokens, positions, memory.padding, references)
        parts = (
            self.encode_frames(layers, *(take_frames(x, part) for x in inputs),
                               memory.shapes, memory.chunks.queries)
            for part in chunk_slices(
                len(memory.tokens), memory.chunks.frames))
        memory.tokens = join_frames(parts, 1, len(memory.tokens))

    @staticmethod
    def encode_frames(layers: Sequence[nn.Module], tokens: Tensor,
                      positions: Tensor, padding: Tensor | None,
                      references: Tensor, shapes: Shapes,
                      max_queries: int | None) -> Tensor:
        """Apply layers to some frames."""
        for layer in layers:
            tokens = layer(
                tokens,
                query_pos=positions,
                key_pos=positions,
                key_padding_mask=padding,
                reference_points=references,
                shapes=shapes,
                max_queries=max_queries)
        return tokens

    @staticmethod
    def reference_points(memory: Memory) -> Tensor:
        """Compute the cell centres relative to the padded map of each level.

        Returns:
            (P*T or 1, sum h_i*w_i, levels, 2), (x, y).
        """
        ratios = memory.valid_ratios
        if memory.padding is None:
            ratios = ratios[:1]
        centres = []
        for level, (height, width) in enumerate(memory.shapes):
            y = torch.arange(0.5, height, device=ratios.device)
            x = torch.arange(0.5, width, device=ratios.device)
            y, x = torch.meshgrid(y / height, x / width, indexing='ij')
            centre = torch.stack((x.flatten(), y.flatten()), dim=-1)
            centres.append(centre / ratios[:, None, level])
        return torch.cat(centres, dim=1)[:, :, None] * ratios[:, None]
