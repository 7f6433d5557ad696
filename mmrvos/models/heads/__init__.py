from .base import BaseRVOSHead
from .boundary_aware_head import BoundaryAwareHead
from .category_head import CategoryHead
from .dense_mask_head import DenseMaskHead
from .motion_head import MotionHead
from .mutr_head import MUTRHead
from .referred_instance_head import ReferredInstanceHead
from .referring_head import ReferringHead
from .samwise_head import SAMWISEHead
from .soc_head import SOCHead

__all__ = [
    'BaseRVOSHead', 'BoundaryAwareHead', 'CategoryHead', 'DenseMaskHead',
    'MUTRHead', 'MotionHead', 'ReferredInstanceHead', 'ReferringHead',
    'SAMWISEHead', 'SOCHead'
]
