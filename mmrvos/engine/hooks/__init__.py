from .dense_warmup_hook import DenseWarmupHook
from .visualization_hook import RVOSVisualizationHook

__all__ = ['DenseWarmupHook', 'RVOSVisualizationHook']
