from .base import BaseRVOSSegmentor
from .grounded import GroundedSegmentor
from .html import HTML
from .inference_cfg import InferenceCfg
from .mlrl import MLRL
from .mttr import MTTR
from .mutr import MUTR
from .parts import Part
from .pretrained import PretrainedSegmentor
from .referformer import ReferFormer
from .sam3 import SAM3Segmentor
from .samwise import SAMWISE
from .soc import SOC
from .window_streaming import merge_windows

__all__ = [
    'HTML', 'MLRL', 'MTTR', 'MUTR', 'SAMWISE', 'SOC', 'BaseRVOSSegmentor',
    'GroundedSegmentor', 'InferenceCfg', 'Part', 'PretrainedSegmentor',
    'ReferFormer', 'SAM3Segmentor', 'merge_windows'
]
