"""MLRL's object encoders (Eq. 5 and Table 3).

Their output is trained to be object-aware: the head segments all salient
objects from it (Eq. 6 and 7).
"""
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS

from .pixel_self_attention import PixelSelfAttention


@MODELS.register_module()
class AttentionObjectEncoder(BaseModule):
    """Self-attention, then a 3x3 convolution.

    Args:
        embed_dims: C.
        scope: of the attention, see :class:`PixelSelfAttention`; 'video' is
            the paper's choice.
    """

    def __init__(self,
                 *,
                 embed_dims: int,
                 scope: str = 'video',
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.attention = PixelSelfAttention(embed_dims=embed_dims, scope=scope)
        self.conv = nn.Conv2d(embed_dims, embed_dims, 3, padding=1)

    def forward(self, maps: Tensor, num_frames: int,
                padding: Tensor | None) -> Tensor:
        """See :meth:`PixelSelfAttention.forward`."""
        return self.conv(self.attention(maps, num_frames, padding))


@MODELS.register_module()
class ConvObjectEncoder(BaseModule):
    """Two 3x3 convolutions with ReLU, a local receptive field.

    Args:
        embed_dims: C.
    """

    def __init__(self,
                 *,
                 embed_dims: int,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.convs = nn.Sequential(
            nn.Conv2d(embed_dims, embed_dims, 3, padding=1), nn.ReLU(),
            nn.Conv2d(embed_dims, embed_dims, 3, padding=1), nn.ReLU())

    def forward(self, maps: Tensor, num_frames: int,
                padding: Tensor | None) -> Tensor:
        """See :meth:`PixelSelfAttention.forward`."""
        return self.convs(maps)
