from .training_stages_hook import TrainingStagesHook
from .visualization_hook import RVOSVisualizationHook

__all__ = ['RVOSVisualizationHook', 'TrainingStagesHook']
