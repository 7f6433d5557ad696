from .base import BaseRVOSSegmentor, InferenceCfg
from .referformer import ReferFormer

__all__ = ['BaseRVOSSegmentor', 'InferenceCfg', 'ReferFormer']
