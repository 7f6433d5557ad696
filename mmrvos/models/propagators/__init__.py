from .base import MaskPropagator
from .sam2 import EdgeTAMPropagator, SAM2Propagator, SAM3TrackerPropagator
from .stcn import STCNPropagator
from .stcn_network import STCN

__all__ = [
    'STCN', 'EdgeTAMPropagator', 'MaskPropagator', 'SAM2Propagator',
    'SAM3TrackerPropagator', 'STCNPropagator'
]
