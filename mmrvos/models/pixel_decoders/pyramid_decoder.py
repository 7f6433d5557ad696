from collections.abc import Sequence

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg


@MODELS.register_module()
class PyramidDecoder(BaseModule):
    """MLRL's pyramid head: decode a coarse map to one channel of full size.

    Each step adds a map of the backbone through a 1x1 convolution, and applies
    a 3x3 convolution, GroupNorm, ReLU and bilinear upsampling (MLRL, sections
    3.3 and 3.4).

    Args:
        in_channels: of the coarse map.
        pyramid_channels: of the backbone's maps, fine to coarse.
        channels: width of the decoder.
        num_groups: of the norms.
        bias: initial bias of the last convolution.
    """

    def __init__(self,
                 *,
                 in_channels: int,
                 pyramid_channels: Sequence[int],
                 channels: int = 256,
                 num_groups: int = 8,
                 bias: float = 0.,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        norm = dict(type='GN', num_groups=num_groups)
        self.bias = bias
        self.input = nn.Conv2d(in_channels, channels, 1)
        self.laterals = ModuleList(
            nn.Conv2d(c, channels, 1) for c in pyramid_channels)
        self.blocks = ModuleList(
            ConvModule(channels, channels, 3, padding=1, norm_cfg=norm)
            for _ in pyramid_channels)
        self.predict = nn.Conv2d(channels, 1, 3, padding=1)

    def init_weights(self) -> None:
        nn.init.constant_(self.predict.bias, self.bias)
        apply_init_cfg(self)

    def forward(self,
                maps: Tensor,
                pyramid: Sequence[Tensor],
                size: tuple[int, int],
                rows: Tensor | None = None) -> Tensor:
        """Compute one-channel logits.

        Args:
            maps: (P*T, in_channels, h, w), at the size of the coarsest map of
                the pyramid.
            pyramid: (B*T, c_i, h_i, w_i) each, fine to coarse.
            size: (H, W) of the result.
            rows: (P*T,) long, the row of the pyramid for each map; None if
                rows are the same.

        Returns:
            (P*T, H, W).
        """
        x = self.input(maps)
        for level in reversed(range(len(pyramid))):
            lateral = self.laterals[level](pyramid[level])
            x = self.blocks[level](
                x + (lateral if rows is None else lateral[rows]))
            finer = (
                pyramid[level - 1].shape[-2:] if level else
                [2 * side for side in x.shape[-2:]])
            x = resize(x, finer)
        return resize(self.predict(x), size)[:, 0]


def resize(x: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(x, size, mode='bilinear', align_corners=False)
