from .convnext import ConvNeXt
from .dilated_resnet import DilatedResNet
from .video_swin import VideoSwinTransformer

__all__ = ['ConvNeXt', 'DilatedResNet', 'VideoSwinTransformer']
