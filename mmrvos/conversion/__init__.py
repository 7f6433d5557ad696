from . import mttr, referformer, soc, stcn
from .backbones import convert_video_swin
from .key_map import Report, Rule, convert_keys

METHODS = {
    'mttr': mttr.convert,
    'referformer': referformer.convert,
    'soc': soc.convert,
    'stcn': stcn.convert,
}

__all__ = [
    'METHODS', 'Report', 'Rule', 'convert_keys', 'convert_video_swin'
]
