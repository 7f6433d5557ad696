# __init__.py loads these names when they are first used.
from .backbones import convert_convnext, convert_video_swin
from .key_map import Report, Rule, convert_keys
from .methods import METHODS

__all__ = [
    'METHODS', 'Report', 'Rule', 'convert_convnext', 'convert_keys',
    'convert_video_swin'
]
