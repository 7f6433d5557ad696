from .base import BaseRVOSSegmentor
from .html import HTML
from .inference import InferenceCfg
from .mlrl import MLRL
from .mttr import MTTR
from .referformer import ReferFormer
from .soc import SOC

__all__ = [
    'HTML', 'MLRL', 'MTTR', 'SOC', 'BaseRVOSSegmentor', 'InferenceCfg',
    'ReferFormer'
]
