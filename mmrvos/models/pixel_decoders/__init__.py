from .cross_modal_fpn import CrossModalFPN
from .pyramid_decoder import PyramidDecoder
from .spatial_decoder import SpatialDecoder

__all__ = ['CrossModalFPN', 'PyramidDecoder', 'SpatialDecoder']
