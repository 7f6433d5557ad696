from mmdet.models.layers import coordinate_to_encoding
from torch import Tensor, nn
from torch.nn.functional import pad

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

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
        box_encoding: add a fixed sine encoding of each query's reference to
            queries, keys and values of the attention (not in the paper).

    Raises:
        ValueError: ``box_encoding`` with an ``embed_dims`` that is not a
            multiple of 8, a sine and a cosine of four coordinates.
    """

    def __init__(self,
                 *,
                 embed_dims: int = 256,
                 num_heads: int = 8,
                 feedforward_channels: int = 2048,
                 dropout: float = 0.1,
                 temporal_encoding: bool = False,
                 box_encoding: bool = False,
                 init_cfg: dict | None = None) -> None:
        if box_encoding and embed_dims % 8:
            raise ValueError(f'embed_dims={embed_dims}: box_encoding expects '
                             'a multiple of 8')
        super().__init__(embed_dims, num_heads, feedforward_channels, dropout,
                         init_cfg)
        self.temporal_encoding = temporal_encoding
        self.box_encoding = box_encoding

    def init_weights(self) -> None:
        # as all layers of ReferFormer's transformer
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        apply_init_cfg(self)

    def forward(self, queries: Tensor, num_frames: int,
                references: Tensor) -> Tensor:
        """Return a tensor of the shape of the first argument.

        Args:
            queries: (P*T, N, C), from a decoder layer, before its box
                refinement.
            num_frames: T; attention works on (P, T*N, C).
            references: (P*T, N, 2 or 4) in [0, 1], the points or boxes that
                the decoder layer used.
        """
        num_queries, channels = queries.shape[1:]
        x = queries.reshape(-1, num_frames * num_queries, channels)
        key = value = x
        position = None
        if self.box_encoding:
            position = encode_boxes(references, channels).to(
                x.dtype).view_as(x)
            key = value = x + position
        if self.temporal_encoding:
            time = clip_time_positions(num_frames, channels, x.device).to(
                x.dtype).repeat_interleave(num_queries, 0)
            key = key + time
            position = time if position is None else position + time
        x = super().forward(x, key, value, position=position)
        return x.view_as(queries)


def encode_boxes(references: Tensor, channels: int) -> Tensor:
    """Encode points or boxes with sines, a quarter of the channels each.

    A point has width and height 0.

    Args:
        references: (B, N, 2 or 4) in [0, 1].
        channels: C.

    Returns:
        (B, N, C) float32.
    """
    boxes = pad(references.float(), (0, 4 - references.shape[-1]))
    return coordinate_to_encoding(boxes, num_feats=channels // 4)
