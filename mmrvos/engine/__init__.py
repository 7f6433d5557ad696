from .grouped_optim_wrapper_constructor import GroupedOptimWrapperConstructor
from .hooks import EpochSeedHook, RVOSVisualizationHook, TrainingStagesHook
from .runner import RVOSRunner, bare_model

__all__ = [
    'EpochSeedHook', 'GroupedOptimWrapperConstructor', 'RVOSRunner',
    'RVOSVisualizationHook', 'TrainingStagesHook', 'bare_model'
]
