import torch
import torch.nn.functional as F
from mmdet.models.layers import (
    SinePositionalEncoding,
    SinePositionalEncoding3D,
)
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..features import TextFeatures
from ..layers import masked_mean, to_maps, to_tokens


@MODELS.register_module()
class SemanticAlignment(BaseModule):
    """MLRL's dynamic semantic alignment of one visual level.

    The level has a language encoder of its own. Each pixel attends to the
    words, and the result is added to its features (Eq. 8-11).

    Args:
        embed_dims: C.
        scope: 'video' for positions of time, row and column; 'frame' for
            positions of row and column only.
        num_layers, num_heads, feedforward_channels, dropout: of the language
            encoder.
        dynamic: False adds the mean of the words to all pixels, without any
            attention.

    Raises:
        ValueError: ``scope`` is unknown.
    """

    def __init__(self,
                 *,
                 embed_dims: int,
                 scope: str,
                 num_layers: int = 2,
                 num_heads: int = 8,
                 feedforward_channels: int | None = None,
                 dropout: float = 0.1,
                 dynamic: bool = True,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if scope not in ('video', 'frame'):
            raise ValueError(f"scope is 'video' or 'frame', got {scope!r}")
        self.scope = scope
        self.dynamic = dynamic
        self.language = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(
                embed_dims,
                num_heads,
                feedforward_channels or 4 * embed_dims,
                dropout,
                batch_first=True),
            num_layers,
            enable_nested_tensor=False)
        if dynamic:
            encoding = (
                SinePositionalEncoding3D
                if scope == 'video' else SinePositionalEncoding)
            self.position = encoding(
                embed_dims // 2, normalize=True, offset=-0.5)
            self.visual_projection = nn.Linear(embed_dims, embed_dims)
            self.word_projection = nn.Linear(embed_dims, embed_dims)
        self.output = nn.Linear(embed_dims, embed_dims)

    def forward(self, maps: Tensor, num_frames: int, padding: Tensor | None,
                text: TextFeatures) -> Tensor:
        """Return a tensor of the shape of the first argument.

        Args:
            maps: (P*T, C, h, w), one clip per pair.
            num_frames: T.
            padding: (P, h, w) bool, True where padded, or None.
            text: P expressions.
        """
        words = self.language(
            text.words + text.positions, src_key_padding_mask=text.padding)
        pixels = to_tokens(maps, num_frames)  # (P, T*h*w, C)
        if self.dynamic:
            positions = self.positions(maps, num_frames, padding)
            attended = F.scaled_dot_product_attention(
                self.visual_projection(pixels + positions)[:, None],
                self.word_projection(words + text.positions)[:, None],
                words[:, None],
                attn_mask=None if text.padding is None else
                ~text.padding[:, None, None])[:, 0]
        else:
            attended = masked_mean(words, text.padding)[:, None]
        return to_maps(
            self.output(attended + pixels), num_frames, maps.shape[-2:])

    def positions(self, maps: Tensor, num_frames: int,
                  padding: Tensor | None) -> Tensor:
        """Encode all positions with sines, (P or 1, T*h*w, C)."""
        if padding is None:
            padding = maps.new_zeros(1, *maps.shape[-2:], dtype=torch.bool)
        if self.scope == 'video':
            positions = self.position(
                padding[:, None].expand(-1, num_frames, -1, -1)).flatten(0, 1)
        else:
            positions = self.position(padding).repeat_interleave(num_frames, 0)
        return to_tokens(positions, num_frames).to(maps.dtype)
