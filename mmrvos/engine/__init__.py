from .hooks import RVOSVisualizationHook, TrainingStagesHook
from .runner import RVOSRunner

__all__ = ['RVOSRunner', 'RVOSVisualizationHook', 'TrainingStagesHook']
