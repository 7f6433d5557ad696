from .dense_mask_head import DenseMaskHead
from .referring_head import ReferringHead
from .soc_head import SOCHead

__all__ = ['DenseMaskHead', 'ReferringHead', 'SOCHead']
