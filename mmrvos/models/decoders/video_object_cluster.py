from mmdet.models.layers import Mask2FormerTransformerDecoderLayer
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg


@MODELS.register_module()
class VideoObjectCluster(BaseModule):
    """SOC's video object cluster (VOC): frame queries to video queries.

    An encoder applies self-attention to the T*N queries of all frames. A
    decoder, whose N queries are initialised with the sentence, attends to
    them (SOC, section 3.3). Positions depend on the query, not on the frame:
    the order of the frames has no effect.

    Args:
        num_queries: N, per frame and per video: video query n is added to
            query n of every frame.
        encoder_layers: 0 leaves the encoder out (Table 8, "only decoder").
        decoder_layers: 0 leaves the decoder out (Table 8, "only encoder");
            the encoded queries are then added frame by frame.
        embed_dims: C.
        num_heads: attention heads.
        feedforward_channels: width of the feed-forward networks.
        dropout: in all layers, and of the attention weights.

    Raises:
        ValueError: there are neither encoder nor decoder layers.
    """

    def __init__(self,
                 *,
                 num_queries: int = 20,
                 encoder_layers: int = 3,
                 decoder_layers: int = 3,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 feedforward_channels: int = 2048,
                 dropout: float = 0.1,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if not encoder_layers and not decoder_layers:
            raise ValueError(
                'cluster.encoder_layers and decoder_layers are both 0: '
                'set cluster=None for SOC without a cluster')
        self.encoder = ModuleList(
            nn.TransformerEncoderLayer(
                embed_dims,
                num_heads,
                feedforward_channels,
                dropout,
                batch_first=True) for _ in range(encoder_layers))
        attention = dict(
            embed_dims=embed_dims,
            num_heads=num_heads,
            attn_drop=dropout,
            proj_drop=dropout,
            batch_first=True)
        ffn = dict(
            embed_dims=embed_dims,
            feedforward_channels=feedforward_channels,
            ffn_drop=dropout)
        # a layer is cross-attention, self-attention, feed-forward network
        self.decoder = ModuleList(
            Mask2FormerTransformerDecoderLayer(
                self_attn_cfg=dict(attention),
                cross_attn_cfg=dict(attention),
                ffn_cfg=dict(ffn)) for _ in range(decoder_layers))
        if decoder_layers:
            self.norm = nn.LayerNorm(embed_dims)
            self.frame_embed = nn.Embedding(num_queries, embed_dims)
            self.video_embed = nn.Embedding(num_queries, embed_dims)

    def init_weights(self) -> None:
        self.draw_weights()
        apply_init_cfg(self)

    def draw_weights(self) -> None:
        """Initialise the weights; ``init_cfg`` is applied afterwards."""
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, queries: Tensor, sentence: Tensor) -> Tensor:
        """Aggregate the queries of all frames.

        Args:
            queries: (D, P, T, N, C), frame queries of D decoder layers, which
                are clustered independently.
            sentence: (P, C).

        Returns:
            (D, P, 1, N, C); (D, P, T, N, C) without decoder layers.
        """
        encoded = self.encode(queries.flatten(0, 1))
        if not self.decoder:
            return encoded.view_as(queries)
        start = sentence.repeat(len(queries), 1)[:, None]
        video = self.decode(
            encoded, start.expand(-1, queries.shape[3], -1))
        return video.unflatten(0, (len(queries), -1)).unsqueeze(2)

    def encode(self, queries: Tensor) -> Tensor:
        """Apply self-attention to the queries (P, T, N, C) of all frames."""
        tokens = queries.flatten(1, 2)
        for layer in self.encoder:
            tokens = layer(tokens)
        return tokens.view_as(queries)

    def decode(self, encoded: Tensor, video: Tensor) -> Tensor:
        """Attend from the video queries to the queries of all frames.

        Args:
            encoded: (P, T, N, C), queries of the frames.
            video: (P, N, C), initial video queries.

        Returns:
            (P, N, C).
        """
        tokens = encoded.flatten(1, 2)
        positions = self.frame_embed.weight.repeat(encoded.shape[1], 1)
        for layer in self.decoder:
            video = layer(
                video,
                key=tokens,
                value=tokens,
                query_pos=self.video_embed.weight,
                key_pos=positions)
        return self.norm(video)
