import torch
import torch.nn.functional as F
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

from ..features import MultiscaleFeatures, TextFeatures
from ..layers import AttentionBlock


class InstanceDecoderLayer(AttentionBlock):
    """Self-attention, then cross-attention to the memory (DETR, post-norm).

    Args:
        embed_dims, num_heads, feedforward_channels, dropout: see
            :class:`AttentionBlock`.
    """

    def __init__(self, embed_dims: int, num_heads: int,
                 feedforward_channels: int, dropout: float) -> None:
        super().__init__(embed_dims, num_heads, feedforward_channels, dropout)
        self.self_attn = nn.MultiheadAttention(
            embed_dims, num_heads, dropout=dropout, batch_first=True)
        self.self_norm = nn.LayerNorm(embed_dims)

    def forward(self, queries: Tensor, positions: Tensor, keys: Tensor,
                memory: Tensor, padding: Tensor | None) -> Tensor:
        """Return a tensor of the shape of the first argument.

        Args:
            queries: (P*T, N, C), content of the queries.
            positions: (N, C), learned positions of the queries.
            keys, memory: (P*T, S, C), with and without positions.
            padding: (P*T, S) bool, or None.
        """
        query = queries + positions
        attended = self.self_attn(
            query, query, queries, need_weights=False)[0]
        queries = self.self_norm(queries + self.dropout(attended))
        return super().forward(queries, keys, memory, padding, positions)


@MODELS.register_module()
class MultimodalTransformer(BaseModule):
    """MTTR's transformer: pixels and words of a frame in one sequence.

    Frames are processed independently. N learned queries predict the
    instances of a frame, and the same query predicts the same instance in all
    frames (MTTR, sections 3.2 and 3.3). Words get no positions here: the text
    encoder has added them.

    Args:
        num_queries: N.
        encoder_layers: self-attention layers of the sequence.
        decoder_layers: D.
        embed_dims: C.
        num_heads: attention heads.
        feedforward_channels: width of the feed-forward networks.
        dropout: in all layers, and of the attention weights.
    """

    def __init__(self,
                 *,
                 num_queries: int = 50,
                 encoder_layers: int = 3,
                 decoder_layers: int = 3,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 feedforward_channels: int = 2048,
                 dropout: float = 0.1,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        args = (embed_dims, num_heads, feedforward_channels, dropout)
        self.encoder = ModuleList(
            AttentionBlock(*args) for _ in range(encoder_layers))
        self.decoder = ModuleList(
            InstanceDecoderLayer(*args) for _ in range(decoder_layers))
        self.norm = nn.LayerNorm(embed_dims)
        self.query_embed = nn.Embedding(num_queries, embed_dims)

    def init_weights(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        nn.init.normal_(self.query_embed.weight)
        apply_init_cfg(self)

    def forward(self, clip: MultiscaleFeatures,
                text: TextFeatures) -> tuple[Tensor, Tensor]:
        """Predict the instances of every frame.

        Args:
            clip: one clip per pair; its coarsest level is used.
            text: P expressions.

        Returns:
            Queries (D, P, T, N, C), and the encoded pixels (P*T, C, h, w).
        """
        tokens, positions, padding = self.encode(clip, text)
        keys = tokens + positions
        embed = self.query_embed.weight
        queries = torch.zeros_like(embed).expand(len(tokens), -1, -1)
        states = []
        for layer in self.decoder:
            queries = layer(queries, embed, keys, tokens, padding)
            states.append(self.norm(queries))
        states = torch.stack(states).unflatten(1, (-1, clip.num_frames))
        return states, self.pixels(tokens, clip)

    def encode(self, clip: MultiscaleFeatures,
               text: TextFeatures) -> tuple[Tensor, Tensor, Tensor | None]:
        """Encode the sequences of pixels and words.

        Returns:
            Sequences (P*T, S, C), pixels before words; their positions (P*T or
            1, S, C) and padding (P*T, S), or None without padding.
        """
        pixels = clip.levels[-1].flatten(2).transpose(1, 2)
        words = text.words.repeat_interleave(clip.num_frames, 0)
        tokens = torch.cat((pixels, words), dim=1)
        positions, padding = self.positions(clip, text)
        for layer in self.encoder:
            tokens = layer(tokens, tokens + positions, tokens, padding,
                           positions)
        return tokens, positions, padding

    @staticmethod
    def pixels(tokens: Tensor, clip: MultiscaleFeatures) -> Tensor:
        """Return the pixels of sequences as maps, (P*T, C, h, w)."""
        size = clip.levels[-1].shape[-2:]
        return tokens[:, :size.numel()].transpose(1, 2).unflatten(-1, size)

    @staticmethod
    def positions(clip: MultiscaleFeatures,
                  text: TextFeatures) -> tuple[Tensor, Tensor | None]:
        """Return positions (P*T or 1, S, C) and padding (P*T, S) of the
        sequences; None if nothing is padded."""
        frames, num_words = clip.num_frames, text.words.shape[1]
        positions = clip.positions[-1].flatten(2).transpose(1, 2)
        positions = F.pad(positions, (0, 0, 0, num_words))
        if len(positions) > 1:
            positions = positions.repeat_interleave(frames, 0)
        num_pixels = positions.shape[1] - num_words
        if clip.padding is None and text.padding is None:
            return positions, None
        empty = positions.new_zeros(len(text.words), 1, dtype=torch.bool)
        pixels = (
            empty.expand(-1, num_pixels)
            if clip.padding is None else clip.padding[-1].flatten(1))
        words = (
            empty.expand(-1, num_words)
            if text.padding is None else text.padding)
        padding = torch.cat((pixels, words), dim=1)
        return positions, padding.repeat_interleave(frames, 0)
