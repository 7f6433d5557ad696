from collections.abc import Sequence

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmrvos.registry import MODELS
from mmrvos.utils import apply_init_cfg

GROUPS = 8  # of the group norm


@MODELS.register_module()
class SpatialDecoder(BaseModule):
    """Decode maps from coarse to fine with convolutions (MTTR, SOC).

    Each step adds the coarser map (nearest) and the 1x1 convolution of the
    finer one, and applies a 3x3 convolution to fewer channels. Frames are
    processed independently.

    Args:
        in_channels: of all maps except the finest, coarse to fine.
        fine_channels: of the finest map, the backbone's stride-4 map.
        channels: after each step, coarse to fine, one more than
            ``in_channels``; multiples of 8, the groups of the norm. None
            halves ``in_channels[0]`` at each step, which is official.
        mask_channels: channels of the mask features.

    Raises:
        ValueError: the number or the size of ``channels`` does not fit.
    """

    def __init__(self,
                 *,
                 in_channels: Sequence[int],
                 fine_channels: int,
                 channels: Sequence[int] | None = None,
                 mask_channels: int = 8,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        norm = dict(type='GN', num_groups=GROUPS)
        steps = len(in_channels) + 1
        if channels is None:
            channels = [
                max(GROUPS, in_channels[0] // 2**step)
                for step in range(1, steps + 1)
            ]
        if len(channels) != steps:
            raise ValueError(
                f'pixel_decoder.channels={tuple(channels)} has '
                f'{len(channels)} values, but the pixel decoder has {steps} '
                f'steps (in_channels={tuple(in_channels)} and the finest '
                'map): remove channels, or give one value per step')
        if any(c % GROUPS for c in channels):
            raise ValueError(
                f'pixel_decoder.channels={tuple(channels)}: expected '
                f'multiples of {GROUPS}, the groups of the norm')

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
        apply_init_cfg(self)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Compute mask features.

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
