from .base import BaseRVOSSegmentor, InferenceCfg
from .html import HTML
from .mlrl import MLRL
from .mttr import MTTR
from .referformer import ReferFormer
from .soc import SOC

__all__ = [
    'HTML', 'MLRL', 'MTTR', 'SOC', 'BaseRVOSSegmentor', 'InferenceCfg',
    'ReferFormer'
]
