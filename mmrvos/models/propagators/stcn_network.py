"""The network of STCN (Cheng et al., NeurIPS 2021), for inference.

Letters: K objects; H and W the padded size, multiples of 16; h = H / 16 and
w = W / 16. The batch is one frame for keys, and K for values and masks.
"""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrvos.registry import MODELS

from ..layers import WinogradConv2d

STRIDE = 16  # of keys and values


@dataclass
class EncodedFrame:
    """Features of a frame, without objects.

    Args:
        image: (1, 3, H, W), normalised and padded.
        fine, middle, coarse: (1, 256, H/4, W/4), (1, 512, H/8, W/8) and
            (1, 1024, h, w), the backbone's maps.
        key: (1, 64, h, w), compared with the keys in the memory.
        thin: (1, 512, h, w), the coarse map compressed for the decoder.
    """
    image: Tensor
    fine: Tensor
    middle: Tensor
    coarse: Tensor
    key: Tensor
    thin: Tensor


class ResBlock(nn.Module):
    """Two 3x3 convolutions, each after a ReLU, without norm.

    The shortcut takes the input before the ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.shortcut = nn.Identity() if in_channels == out_channels else (
            WinogradConv2d(in_channels, out_channels, 3, padding=1))
        self.conv1 = WinogradConv2d(in_channels, out_channels, 3, padding=1)
        self.conv2 = WinogradConv2d(out_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.conv2(self.conv1(x.relu()).relu())


class ChannelGate(nn.Module):
    """Scale each channel by a gate of its mean and its maximum."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(channels, channels // reduction), nn.ReLU(),
            nn.Linear(channels // reduction, channels))

    def forward(self, x: Tensor) -> Tensor:
        gate = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        return x * gate.sigmoid()[..., None, None]


class SpatialGate(nn.Module):
    """Scale each pixel by a gate of its maximum and its mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.cat([x.amax(1, True), x.mean(1, True)], dim=1)
        return x * self.conv(pooled).sigmoid()


class ValueFusion(nn.Module):
    """Fuse the value encoder's map with the map of the frame (with CBAM)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.block1 = ResBlock(in_channels, channels)
        self.attention = nn.Sequential(ChannelGate(channels), SpatialGate())
        self.block2 = ResBlock(channels, channels)

    def forward(self, value: Tensor, coarse: Tensor) -> Tensor:
        x = self.block1(
            torch.cat([value, coarse.expand(len(value), -1, -1, -1)], dim=1))
        return self.block2(x + self.attention(x))


class UpsampleBlock(nn.Module):
    """Double the size of a map and add a map of the backbone."""

    def __init__(self, skip_channels: int, in_channels: int,
                 out_channels: int) -> None:
        super().__init__()
        self.skip = WinogradConv2d(skip_channels, in_channels, 3, padding=1)
        self.block = ResBlock(in_channels, out_channels)

    def forward(self, skip: Tensor, x: Tensor) -> Tensor:
        return self.block(self.skip(skip) + upsample(x, 2))


def upsample(x: Tensor, factor: int) -> Tensor:
    return F.interpolate(
        x, scale_factor=factor, mode='bilinear', align_corners=False)


def aggregate(probs: Tensor) -> Tensor:
    """Normalise probabilities of objects and background (soft aggregation).

    Args:
        probs: (K, H, W), independent probabilities of the objects.

    Returns:
        (K + 1, H, W), the background first; sums to one.
    """
    background = (1 - probs).prod(0, keepdim=True)
    probs = torch.cat([background, probs]).clamp(1e-7, 1 - 1e-7)
    return torch.logit(probs).softmax(0)


@MODELS.register_module()
class STCN(BaseModule):
    """Encoder of keys (frame), encoder of values (frame and mask), decoder.

    It is for inference: norms are in inference mode, no parameter requires a
    gradient.
    """

    def __init__(self, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        resnet = dict(
            type='mmdet.ResNet',
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            norm_cfg=dict(type='BN', requires_grad=False),
            norm_eval=True,
            conv_cfg=dict(type='mmrvos.WinogradConv2d'),
            style='pytorch')
        self.key_encoder = MODELS.build(
            dict(resnet, depth=50, out_indices=(0, 1, 2)))
        self.key_projection = nn.Conv2d(1024, 64, 3, padding=1)
        self.key_compression = WinogradConv2d(1024, 512, 3, padding=1)
        # image, own mask, sum of the other objects' masks
        self.value_encoder = MODELS.build(
            dict(resnet, depth=18, in_channels=5, out_indices=(2, )))
        self.value_fusion = ValueFusion(256 + 1024, 512)
        self.compress = ResBlock(1024, 512)
        self.up_8 = UpsampleBlock(512, 512, 256)
        self.up_4 = UpsampleBlock(256, 256, 256)
        self.predict = nn.Conv2d(256, 1, 3, padding=1)
        self.requires_grad_(False)
        self.eval()

    def encode_key(self, image: Tensor) -> EncodedFrame:
        """Encode a frame.

        Args:
            image: (1, 3, H, W), normalised with ImageNet's mean and standard
                deviation, then padded.
        """
        image = image.contiguous(memory_format=torch.channels_last)
        fine, middle, coarse = self.key_encoder(image)
        return EncodedFrame(image, fine, middle, coarse,
                            self.key_projection(coarse),
                            self.key_compression(coarse))

    def encode_value(self, frame: EncodedFrame, masks: Tensor) -> Tensor:
        """Encode the objects in a frame.

        Args:
            masks: (K, H, W), aggregated probabilities.

        Returns:
            (K, 512, h, w).
        """
        others = masks.sum(0, keepdim=True) - masks
        inputs = torch.cat([
            frame.image.expand(len(masks), -1, -1, -1), masks[:, None],
            others[:, None]
        ], dim=1)
        return self.value_fusion(self.value_encoder(inputs)[0], frame.coarse)

    def decode(self, frame: EncodedFrame, readout: Tensor) -> Tensor:
        """Decode the mask logits of every object.

        Args:
            readout: (K, 512, h, w), values read from the memory.

        Returns:
            (K, H, W).
        """
        x = self.compress(
            torch.cat(
                [readout, frame.thin.expand(len(readout), -1, -1, -1)],
                dim=1))
        x = self.up_8(frame.middle, x)
        x = self.up_4(frame.fine, x)
        return upsample(self.predict(x.relu()), 4)[:, 0]
