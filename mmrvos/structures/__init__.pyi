# __init__.py loads these names when they are first used.
from .masks import MaskSource, PNGMasks, RLEMasks, UnknownObjectError
from .rvos_data_sample import RVOSDataSample

__all__ = [
    'MaskSource', 'PNGMasks', 'RLEMasks', 'RVOSDataSample',
    'UnknownObjectError'
]
