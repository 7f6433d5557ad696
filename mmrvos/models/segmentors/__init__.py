from .base import BaseRVOSSegmentor
from .html import HTML
from .inference import InferenceCfg, join_windows
from .mlrl import MLRL
from .mttr import MTTR
from .referformer import ReferFormer
from .soc import SOC

__all__ = [
    'HTML', 'MLRL', 'MTTR', 'SOC', 'BaseRVOSSegmentor', 'InferenceCfg',
    'ReferFormer', 'join_windows'
]
