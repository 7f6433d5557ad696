from .convnext import ConvNeXt
from .dilated_resnet import DilatedResNet
from .sam2_network import SAM2Network
from .video_swin import VideoSwinTransformer

__all__ = [
    'ConvNeXt', 'DilatedResNet', 'SAM2Network', 'VideoSwinTransformer'
]
