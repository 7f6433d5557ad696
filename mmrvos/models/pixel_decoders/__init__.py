from .cross_modal_fpn import CrossModalFPN
from .spatial_decoder import SpatialDecoder

__all__ = ['CrossModalFPN', 'SpatialDecoder']
