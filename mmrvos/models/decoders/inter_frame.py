from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..layers import AttentionBlock, clip_time_positions


@MODELS.register_module()
class InterFrameLayer(AttentionBlock):
    """IFIRVOS's inter-frame interaction layer (section 3.4, Eq. 5).

    Self-attention across the queries of all frames of a clip. As published,
    it has no encoding of time: the order of the frames has no effect.

    Args:
        embed_dims: C.
        num_heads: attention heads.
        feedforward_channels: width of the feed-forward network.
        dropout: in all layers, and of the attention weights.
        temporal_encoding: add a fixed sine encoding of a frame's position in
            the clip to queries and keys of the attention (not in the paper).
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 feedforward_channels: int = 2048,
                 dropout: float = 0.1,
                 temporal_encoding: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(embed_dims, num_heads, feedforward_channels, dropout,
                         init_cfg)
        self.temporal_encoding = temporal_encoding

    def init_weights(self) -> None:
        # as all layers of ReferFormer's transformer
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, queries: Tensor, num_frames: int) -> Tensor:
        """Return a tensor of the shape of the first argument.

        Args:
            queries: (P*T, N, C), from a decoder layer, before its box
                refinement.
            num_frames: T; attention works on (P, T*N, C).
        """
        num_queries, channels = queries.shape[1:]
        x = queries.reshape(-1, num_frames * num_queries, channels)
        key = x
        position = None
        if self.temporal_encoding:
            position = clip_time_positions(num_frames, channels, x.device).to(
                x.dtype).repeat_interleave(num_queries, 0)
            key = x + position
        x = super().forward(x, key, x, position=position)
        return x.view_as(queries)
