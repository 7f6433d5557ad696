"""MMEngine registries, one scope down: names of mmdet and mmengine are reached
as ``mmdet.ResNet``, ours by their plain name.

``locations`` names the packages that are imported when a registry is first
asked for a name, so a config needs no ``custom_imports``.
"""
from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import (
    OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS,
)
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import Registry, root

DATASETS = Registry(
    'dataset', parent=MMENGINE_DATASETS, locations=['mmrvos.datasets'])
DATA_SAMPLERS = Registry(
    'data sampler',
    parent=MMENGINE_DATA_SAMPLERS,
    locations=['mmrvos.datasets'])
TRANSFORMS = Registry(
    'transform',
    parent=MMENGINE_TRANSFORMS,
    locations=['mmrvos.datasets.transforms'])
MODELS = Registry(
    'model', parent=MMENGINE_MODELS, locations=['mmrvos.models'])
TASK_UTILS = Registry(
    'task util', parent=MMENGINE_TASK_UTILS, locations=['mmrvos.models'])
METRICS = Registry(
    'metric', parent=MMENGINE_METRICS, locations=['mmrvos.evaluation'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, locations=['mmrvos.engine'])
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    'optimizer wrapper constructor',
    parent=MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS,
    locations=['mmrvos.engine'])
LOG_PROCESSORS = Registry(
    'log processor',
    parent=root.LOG_PROCESSORS,
    locations=['mmrvos.engine'])
VISUALIZERS = Registry(
    'visualizer',
    parent=MMENGINE_VISUALIZERS,
    locations=['mmrvos.visualization.rvos_visualizer'])

# Nothing of ours in these: without them MMEngine warns, whenever it builds
# one of its own, that the scope is unknown there.
OTHERS = [
    Registry(
        parent.name,
        parent=parent,
        scope=MODELS.scope,
        locations=['mmrvos.engine'])
    for parent in (root.EVALUATOR, root.FUNCTIONS, root.LOOPS,
                   root.MODEL_WRAPPERS, root.OPTIM_WRAPPERS,
                   root.OPTIMIZERS, root.PARAM_SCHEDULERS, root.RUNNERS,
                   root.VISBACKENDS, root.WEIGHT_INITIALIZERS)
]
