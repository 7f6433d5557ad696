from .base import BaseRVOSSegmentor, InferenceCfg
from .referformer import ReferFormer
from .soc import SOC

__all__ = ['BaseRVOSSegmentor', 'InferenceCfg', 'ReferFormer', 'SOC']
