# __init__.py loads these names when they are first used.
from .backbones import convert_convnext, convert_video_swin
from .key_map import Report, Rule, convert_keys
from .methods import METHODS
from .sam2 import convert_sam2

__all__ = [
    'METHODS', 'Report', 'Rule', 'convert_convnext', 'convert_keys',
    'convert_sam2', 'convert_video_swin'
]
