from mmengine.model import BaseModule
from torch import Tensor

from mmrvos.registry import MODELS

from ..features import MultiscaleFeatures, TextFeatures
from ..layers import AttentionBlock, to_tokens
from .cross_modal_fusion import CrossModalFusion


@MODELS.register_module()
class TemporalAggregation(BaseModule):
    """MUTR's multi-scale temporal aggregation (MTA) with its early fusion.

    The first token of the expression attends to the pixels of all frames,
    level by level, stride 8 first, with one layer for all levels. The result
    replaces the sentence in the decoder's queries. Each level is fused with
    the words, ``v + MHA(v, words)``, independently of this.

    The official code updates all tokens. The layer has no attention between
    tokens and only the first one is used, so only that is computed.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        feedforward_channels: width of the feed-forward network.
        dropout: of the aggregation layer.
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 feedforward_channels: int = 2048,
                 dropout: float = 0.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.vision = CrossModalFusion(
            embed_dims=embed_dims, num_heads=num_heads, interaction='add')
        self.aggregation = AttentionBlock(embed_dims, num_heads,
                                          feedforward_channels, dropout)

    def forward(self, clip: MultiscaleFeatures,
                text: TextFeatures) -> tuple[tuple[Tensor, ...], Tensor]:
        """Fuse every level with the words; aggregate the levels.

        Args:
            clip: one clip per pair; levels (P*T, C, h_i, w_i).
            text: P expressions; their ``sentence`` is not used.

        Returns:
            The fused levels, shapes unchanged, and the aggregated sentence
            (P, C).
        """
        fused, _ = self.vision(clip, text)
        first = self.aggregate(clip, text.words[:, :1], text.positions[:, :1])
        return fused, first[:, 0]

    def aggregate(self, clip: MultiscaleFeatures, words: Tensor,
                  positions: Tensor) -> Tensor:
        """Attend from words to the pixels of all frames of every level.

        Args:
            clip: levels before the fusion.
            words, positions: (P, L, C). Each word is updated independently
                of the others.

        Returns:
            (P, L, C).
        """
        for index, level in enumerate(clip.levels):
            pixels = to_tokens(level, clip.num_frames)
            words = self.aggregation(
                words,
                pixels,
                pixels,
                padding=clip.token_padding(index),
                position=positions)
        return words
