from .base import MaskPropagator
from .stcn import STCNPropagator
from .stcn_network import STCN

__all__ = ['MaskPropagator', 'STCN', 'STCNPropagator']
