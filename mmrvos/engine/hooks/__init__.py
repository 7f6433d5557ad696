from .visualization_hook import RVOSVisualizationHook

__all__ = ['RVOSVisualizationHook']
