import torch.nn.functional as F
from torch import Tensor, nn

from mmrvos.registry import MODELS

from .video_object_cluster import VideoObjectCluster


@MODELS.register_module()
class TemporalInteraction(VideoObjectCluster):
    """MUTR's multi-object temporal interaction (MTI).

    As :class:`VideoObjectCluster`, but the self-attention of the encoder is
    limited to windows of frames, and the video queries are initialised with
    a learned embedding. Every second encoder layer shifts the windows by half
    of their length. The official code shifts at test time only.

    Args:
        num_queries: N, per frame and per video.
        window: frames of a window; even, so that it has a half.
        shift_in_training: also shift the windows in training. False is the
            official code.
        encoder_layers: self-attention layers.
        decoder_layers: layers of the decoder, at least 1.
        embed_dims: C.
        num_heads: attention heads.
        feedforward_channels: width of the feed-forward networks.
        dropout: in all layers, and of the attention weights.

    Raises:
        ValueError: ``window`` is odd or below 2, or there is no decoder
            layer.
    """

    def __init__(self,
                 *,
                 num_queries: int = 5,
                 window: int = 4,
                 shift_in_training: bool = False,
                 encoder_layers: int = 3,
                 decoder_layers: int = 3,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 feedforward_channels: int = 2048,
                 dropout: float = 0.2,
                 init_cfg: dict | None = None) -> None:
        if window < 2 or window % 2:
            raise ValueError(f'cluster.window={window}: expected an even '
                             'number of frames')
        if not decoder_layers:
            raise ValueError('cluster.decoder_layers=0: expected at least 1, '
                             'since only the decoder has video queries')
        super().__init__(
            num_queries=num_queries,
            encoder_layers=encoder_layers,
            decoder_layers=decoder_layers,
            embed_dims=embed_dims,
            num_heads=num_heads,
            feedforward_channels=feedforward_channels,
            dropout=dropout,
            init_cfg=init_cfg)
        self.window = window
        self.shift_in_training = shift_in_training
        self.start = nn.Embedding(num_queries, embed_dims)

    def draw_weights(self) -> None:
        super().draw_weights()
        for embedding in (self.frame_embed, self.video_embed, self.start):
            nn.init.normal_(embedding.weight)

    def forward(self, queries: Tensor, sentence: Tensor) -> Tensor:
        """Aggregate the queries of all frames.

        Args:
            queries: (D, P, T, N, C), frame queries of D decoder layers, which
                are aggregated independently.
            sentence: not used: the queries depend on it.

        Returns:
            (D, P, 1, N, C).
        """
        encoded = self.encode(queries.flatten(0, 1))
        video = self.decode(encoded,
                            self.start.weight.expand(len(encoded), -1, -1))
        return video.unflatten(0, (len(queries), -1)).unsqueeze(2)

    def encode(self, queries: Tensor) -> Tensor:
        """Apply self-attention to the queries (P, T, N, C) in windows."""
        for index, layer in enumerate(self.encoder):
            shift = index % 2 and (not self.training or self.shift_in_training)
            queries = self.attend_in_windows(
                layer, queries, self.window // 2 if shift else 0)
        return queries

    def attend_in_windows(self, layer: nn.Module, queries: Tensor,
                          shift: int) -> Tensor:
        """Apply a layer to each window; frame t is in (t + shift) // window.

        Args:
            layer: a transformer layer on (B, tokens, C).
            queries: (P, T, N, C).
            shift: frames, below ``window``.

        Returns:
            (P, T, N, C).
        """
        pairs, frames, num_queries, _ = queries.shape
        padding = (shift, -(shift + frames) % self.window)
        tokens = F.pad(queries, (0, 0, 0, 0, *padding)).unflatten(
            1, (-1, self.window)).flatten(2, 3).flatten(0, 1)
        padded = F.pad(queries.new_zeros(frames), padding, value=1.).bool()
        mask = padded.view(-1, self.window).repeat_interleave(
            num_queries, 1).repeat(pairs, 1)
        tokens = layer(tokens, src_key_padding_mask=mask)
        windows = tokens.unflatten(1, (self.window, -1))
        return windows.unflatten(0, (pairs, -1)).flatten(
            1, 2)[:, shift:shift + frames]
