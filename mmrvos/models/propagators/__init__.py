from .base import MaskPropagator
from .sam2 import SAM2Propagator
from .stcn import STCNPropagator
from .stcn_network import STCN

__all__ = ['MaskPropagator', 'SAM2Propagator', 'STCN', 'STCNPropagator']
