from .hooks import RVOSVisualizationHook
from .runner import RVOSRunner

__all__ = ['RVOSRunner', 'RVOSVisualizationHook']
