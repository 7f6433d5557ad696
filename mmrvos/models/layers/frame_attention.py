import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..checkpointing import Checkpointed
from ..chunks import chunk_slices
from .position_encoding import clip_time_positions


@MODELS.register_module()
class FrameAttention(Checkpointed, BaseModule):
    """Self-attention across the frames of a clip, at each cell of the maps.

    Layer norm, attention over the T tokens of one cell, residual. The output
    projection starts at zero, so a new layer is the identity, and weights
    that were trained without the layer keep their outputs. The layer takes
    any number of frames.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        dropout: of the attention weights and of the residual.
        temporal_encoding: add a sine encoding of a frame's position in the
            clip to queries and keys. Without it, the order of the frames has
            no effect.
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 dropout: float = 0.1,
                 temporal_encoding: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.norm = nn.LayerNorm(embed_dims)
        self.attention = nn.MultiheadAttention(
            embed_dims, num_heads, dropout=dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.temporal_encoding = temporal_encoding

    def init_weights(self) -> None:
        nn.init.xavier_uniform_(self.attention.in_proj_weight)
        nn.init.zeros_(self.attention.out_proj.weight)
        nn.init.zeros_(self.attention.out_proj.bias)
        apply_init_cfg(self)

    def forward(self, tokens: Tensor, num_frames: int,
                max_tokens: int | None = None) -> Tensor:
        """Return a tensor of the shape of the first argument.

        Args:
            tokens: (P*T, S, C). A padded cell is padded in all frames of its
                clip, so it never changes the others.
            num_frames: T.
            max_tokens: tokens per chunk; None for no limit.
        """
        clips = tokens.unflatten(0, (-1, num_frames)).transpose(1, 2)
        cells = clips.flatten(0, 1)  # (P*S, T, C)
        attended = torch.cat([
            self.recomputed(self.attend, cells[part])
            for part in chunk_slices(len(cells), max_tokens, cost=num_frames)
        ])
        return attended.view_as(clips).transpose(1, 2).flatten(0, 1)

    def attend(self, cells: Tensor) -> Tensor:
        """Attend within each row of (cells, T, C)."""
        x = self.norm(cells)
        key = x
        if self.temporal_encoding:
            key = x + clip_time_positions(*x.shape[1:], x.device).to(x.dtype)
        attended = self.attention(key, key, x, need_weights=False)[0]
        return cells + self.dropout(attended)
