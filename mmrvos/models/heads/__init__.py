from .dense_mask_head import DenseMaskHead
from .referring_head import ReferringHead

__all__ = ['DenseMaskHead', 'ReferringHead']
