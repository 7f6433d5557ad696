from .check_finite_hook import CheckFiniteHook
from .epoch_seed_hook import EpochSeedHook
from .training_stages_hook import TrainingStagesHook
from .visualization_hook import RVOSVisualizationHook

__all__ = [
    'CheckFiniteHook', 'EpochSeedHook', 'RVOSVisualizationHook',
    'TrainingStagesHook'
]
