from .base import BaseRVOSSegmentor, InferenceCfg
from .html import HTML
from .mlrl import MLRL
from .referformer import ReferFormer
from .soc import SOC

__all__ = [
    'HTML', 'MLRL', 'SOC', 'BaseRVOSSegmentor', 'InferenceCfg', 'ReferFormer'
]
