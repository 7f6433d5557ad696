from collections.abc import Sequence

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmrvos.registry import MODELS


@MODELS.register_module()
class SpatialDecoder(BaseModule):
    """Convolutions from the coarsest map up to mask features (MTTR, SOC).

    Every step: the coarser map (nearest) plus the 1x1 convolution of the
    finer one, then a 3x3 convolution to fewer channels. Each frame is on its
    own.

    Args:
        in_channels: of the maps but the finest, coarse to fine.
        fine_channels: of the finest, the backbone's stride-4 map.
        channels: after each step, coarse to fine, one more than
            ``in_channels``; multiples of 8, the groups of the norm.
        mask_channels: channels of the mask features.
    """

    def __init__(self,
                 *,
                 in_channels: Sequence[int] = (256, 256, 256),
                 fine_channels: int = 96,
                 channels: Sequence[int] = (128, 64, 32, 16),
                 mask_channels: int = 8,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        norm = dict(type='GN', num_groups=8)

        def conv(inputs: int, outputs: int) -> ConvModule:
            return ConvModule(
                inputs, outputs, 3, padding=1, bias=True, norm_cfg=norm)

        self.first = conv(in_channels[0], in_channels[0])
        self.laterals = ModuleList(
            nn.Conv2d(inputs, outputs, 1) for inputs, outputs in zip(
                (*in_channels[1:], fine_channels), channels[:-1],
                strict=True))
        self.outputs = ModuleList(
            conv(inputs, outputs) for inputs, outputs in zip(
                (in_channels[0], *channels[:-1]), channels, strict=True))
        self.mask_features = nn.Conv2d(
            channels[-1], mask_channels, 3, padding=1)

    def init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)
                nn.init.zeros_(module.bias)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Mask features.

        Args:
            maps: (P*T, C_i, h_i, w_i) each, coarse to fine.

        Returns:
            (P*T, mask_channels, h, w) at the size of the finest map.
        """
        x = self.outputs[0](self.first(maps[0]))
        for lateral, output, finer in zip(
                self.laterals, self.outputs[1:], maps[1:], strict=True):
            x = F.interpolate(x, finer.shape[-2:])
            x = output(lateral(finer) + x)
        return self.mask_features(x)
