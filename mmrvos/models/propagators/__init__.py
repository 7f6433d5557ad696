from .base import MaskPropagator
from .propagation_pass import ObjectGroup, PropagationPass
from .sam2 import EdgeTAMPropagator, SAM2Propagator, SAM3TrackerPropagator
from .stcn import STCNPropagator
from .stcn_network import STCN

__all__ = [
    'STCN', 'EdgeTAMPropagator', 'MaskPropagator', 'ObjectGroup',
    'PropagationPass', 'SAM2Propagator',
    'SAM3TrackerPropagator', 'STCNPropagator'
]
