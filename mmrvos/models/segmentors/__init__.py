from .base import BaseRVOSSegmentor, InferenceCfg
from .html import HTML
from .referformer import ReferFormer
from .soc import SOC

__all__ = ['HTML', 'SOC', 'BaseRVOSSegmentor', 'InferenceCfg', 'ReferFormer']
