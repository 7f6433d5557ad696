from .distributed import disconnect
from .evaluate import evaluate, test_runner
from .grouped_optim_wrapper_constructor import GroupedOptimWrapperConstructor
from .hooks import (
    CheckFiniteHook,
    EpochSeedHook,
    RVOSVisualizationHook,
    TrainingStagesHook,
)
from .log_processor import TableLogProcessor
from .resuming import check_resumable, latest_checkpoint
from .runner import RVOSRunner, bare_model
from .test_time_augmentation import use_tta

__all__ = [
    'CheckFiniteHook', 'EpochSeedHook', 'GroupedOptimWrapperConstructor',
    'RVOSRunner', 'RVOSVisualizationHook', 'TableLogProcessor',
    'TrainingStagesHook', 'bare_model',
    'check_resumable', 'disconnect', 'evaluate', 'latest_checkpoint',
    'test_runner', 'use_tta'
]
