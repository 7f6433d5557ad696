from .hooks import DenseWarmupHook, RVOSVisualizationHook
from .runner import RVOSRunner

__all__ = ['DenseWarmupHook', 'RVOSRunner', 'RVOSVisualizationHook']
