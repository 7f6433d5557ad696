from .hooks import RVOSVisualizationHook, TrainingStagesHook
from .runner import RVOSRunner, bare_model

__all__ = [
    'RVOSRunner', 'RVOSVisualizationHook', 'TrainingStagesHook', 'bare_model'
]
