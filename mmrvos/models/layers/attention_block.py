from mmengine.model import BaseModule
from torch import Tensor, nn

from ..checkpointing import Checkpointed
from .dropout import Dropout
from .feed_forward import FeedForward
from .tokens import in_rows


class AttentionBlock(Checkpointed, BaseModule):
    """Attention, residual, norm; feed-forward network, residual, norm.

    The standard transformer layer with post-norms, for self-attention and for
    cross-attention.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        feedforward_channels: width of the feed-forward network.
        dropout: in all layers, and of the attention weights.
    """

    def __init__(self,
                 embed_dims: int,
                 num_heads: int,
                 feedforward_channels: int,
                 dropout: float,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.attention = nn.MultiheadAttention(
            embed_dims, num_heads, dropout=dropout, batch_first=True)
        self.dropout = Dropout(dropout)
        self.attention_norm = nn.LayerNorm(embed_dims)
        self.ffn = FeedForward(embed_dims, feedforward_channels, dropout)
        self.ffn_norm = nn.LayerNorm(embed_dims)

    def forward(self,
                x: Tensor,
                key: Tensor,
                value: Tensor,
                padding: Tensor | None = None,
                position: Tensor | None = None) -> Tensor:
        """Return a tensor of the shape of the first argument.

        Args:
            x: (B, Q, C), the queries.
            key, value: (B, K, C).
            padding: (B, K) bool, True where a key is padded.
            position: added to the queries, not to the residual.
        """
        attended, _ = self.recomputed(
            self.attention,
            x if position is None else x + position,
            key,
            value,
            key_padding_mask=padding,
            need_weights=False)
        x = self.attention_norm(x + self.dropout(attended))
        return in_rows(lambda rows: self.ffn_norm(self.ffn(rows)), x)
