"""Which keys of a config are read; MMEngine ignores all others in silence."""
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, NoReturn

from mmengine.config import Config
from mmengine.registry import (
    DATA_SAMPLERS,
    DATASETS,
    EVALUATOR,
    FUNCTIONS,
    HOOKS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODEL_WRAPPERS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    TASK_UTILS,
    TRANSFORMS,
    VISBACKENDS,
    VISUALIZERS,
    WEIGHT_INITIALIZERS,
    DefaultScope,
    init_default_scope,
)
from mmengine.runner import Runner
from torch import nn
from torch.distributed import init_process_group
from torch.utils.data import DataLoader

REGISTRIES = (MODELS, DATASETS, TRANSFORMS, DATA_SAMPLERS, HOOKS, METRICS,
              LOOPS, OPTIM_WRAPPERS, OPTIMIZERS, PARAM_SCHEDULERS, TASK_UTILS,
              VISUALIZERS, VISBACKENDS, LOG_PROCESSORS)
ALL_REGISTRIES = (*REGISTRIES, EVALUATOR, FUNCTIONS, MODEL_WRAPPERS,
                  OPTIM_WRAPPER_CONSTRUCTORS, WEIGHT_INITIALIZERS)
# All other keys at the top level are helper variables of the config file.
RUNNER_KEYS = frozenset(inspect.signature(Runner.__init__).parameters) - {
    'self', 'cfg'
} | {
    'activation_checkpointing', 'compile', 'efficient_conv_bn_eval',
    'find_unused_parameters', 'load_cfg', 'model_wrapper_cfg', 'sync_bn'
}
#: Keys of other toolboxes, or of a recipe in general, and their names here.
FOREIGN_KEYS = dict(
    amp='tools/train.py --amp',
    batch_size='train_dataloader.batch_size',
    checkpoint_config='default_hooks.checkpoint',
    clip_grad='optim_wrapper.clip_grad',
    cudnn_benchmark='env_cfg.cudnn_benchmark',
    data='train_dataloader, val_dataloader and test_dataloader',
    device='the environment variable CUDA_VISIBLE_DEVICES',
    deterministic='randomness.deterministic',
    dist_params='env_cfg.dist_cfg',
    epochs='train_cfg.max_epochs',
    evaluation='val_evaluator and train_cfg.val_interval',
    fp16='tools/train.py --amp',
    gpu_ids='tools/dist_train.sh',
    gpus='tools/dist_train.sh',
    log_config='default_hooks.logger',
    lr='optim_wrapper.optimizer.lr',
    lr_config='param_scheduler',
    max_epochs='train_cfg.max_epochs',
    momentum_config='param_scheduler',
    mp_start_method='env_cfg.mp_cfg.mp_start_method',
    num_workers='train_dataloader.num_workers',
    opencv_num_threads='env_cfg.mp_cfg.opencv_num_threads',
    optimizer='optim_wrapper.optimizer',
    optimizer_config='optim_wrapper',
    resume_from='tools/train.py --resume CHECKPOINT',
    runner='train_cfg',
    seed='randomness.seed',
    total_epochs='train_cfg.max_epochs',
    weight_decay='optim_wrapper.optimizer.weight_decay',
    workflow='train_cfg')
# Dictionaries that no constructor receives: their keys.
PLAIN_DICTS = {
    'auto_scale_lr': {'enable', 'base_batch_size'},
    'env_cfg': {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'},
    'env_cfg.dist_cfg': {
        'init_backend', 'port',
        *inspect.signature(init_process_group).parameters
    },
    'env_cfg.mp_cfg': {'mp_start_method', 'opencv_num_threads'},
    'load_cfg': {'drop'},
    'log_processor.custom_cfg':
    {'data_src', 'log_name', 'method_name', 'window_size'},
    # the fields of mmrvos.models.InferenceCfg and of its Chunks
    'model.test_cfg': {
        'amp', 'chunks', 'min_score', 'overlap', 'postprocessor',
        'propagator', 'query', 'window'
    },
    'model.test_cfg.chunks': {'frames', 'pairs', 'pixels', 'queries'},
    'optim_wrapper.clip_grad': {
        'clip_value', 'error_if_nonfinite', 'foreach', 'max_norm',
        'norm_type', 'type'
    },
    'optim_wrapper.paramwise_cfg': {
        'bias_decay_mult', 'bias_lr_mult', 'bypass_duplicate', 'custom_keys',
        'dcn_offset_lr_mult', 'dwconv_decay_mult', 'flat_decay_mult',
        'norm_decay_mult'
    },
    'randomness': {'deterministic', 'diff_rank_seed', 'seed'},
    **dict.fromkeys(
        ('train_dataloader', 'val_dataloader', 'test_dataloader'),
        set(inspect.signature(DataLoader.__init__).parameters) - {'self'} |
        {'disable_subprocess_warning', 'num_batch_per_epoch'}),
}
# The types of dictionaries that may lack one.
DEFAULT_TYPES = dict(
    log_processor='LogProcessor',
    optim_wrapper='OptimWrapper',
    test_cfg='TestLoop',
    train_cfg='EpochBasedTrainLoop',
    val_cfg='ValLoop')
# Keys that builders take out before they call the constructor.
BUILDER_KEYS = {'_scope_', 'type'}
EXTRA_KEYS = {
    'custom_hooks.*': {'priority'},
    'default_hooks.*': {'priority'},
    'model': {'test_cfg'},
    'optim_wrapper': {'constructor', 'paramwise_cfg'},
    'param_scheduler': {'convert_to_iter_based'},
    'param_scheduler.*': {'convert_to_iter_based'},
    'train_cfg': {'by_epoch'},
}
# mmcv's builders of layers take these out of norm_cfg and the like.
LAYER_KEYS = dict(norm_cfg={'requires_grad'})
# Lists whose dictionaries are built: each of them needs a type.
BUILT_LISTS = {
    'custom_hooks', 'param_scheduler', 'pipeline', 'transforms', 'vis_backends'
}
# Dictionaries with names that no class here knows.
FREE_DICTS = {
    'backend_args', 'config', 'custom_keys', 'data_prefix',
    'file_client_args', 'metainfo', 'resource_limit', 'type_weights'
}


class ConfigError(ValueError):
    """A config file or a --cfg-options key that is not right."""


def check_keys(cfg: Config) -> None:
    """Check each key and type of a config that the runner reads.

    Raises:
        ConfigError: nothing reads a key, or a type is not registered; names
            the place and similar names.
    """
    init_default_scope(cfg.get('default_scope', 'mmrvos'))
    for name, hook in (cfg.get('default_hooks') or {}).items():
        if hook is not None and 'type' not in hook:
            raise ConfigError(
                f'default_hooks.{name} has no type'
                + suggest(name, set(cfg.default_hooks) - {name}))
    for key in RUNNER_KEYS & set(cfg):
        _check_node(cfg, cfg[key], key)


def _check_node(cfg: Config, node: Any, at: str) -> None:
    if isinstance(node, (list, tuple)):
        is_built = at.split('.')[-1] in BUILT_LISTS
        for i, child in enumerate(node):
            if is_built and isinstance(child, Mapping) and 'type' not in child:
                raise ConfigError(f'{at}.{i} has no type, its keys are '
                                  + ', '.join(sorted(map(str, child))))
            _check_node(cfg, child, f'{at}.{i}')
    elif isinstance(node, Mapping):
        _check_type(node, at)
        _check_type(node, at, 'ema_type')
        known, is_closed = known_keys(node, at)
        for key in set(node) - known:
            # **kwargs may take a key, but hardly one with a typing error
            if known and (is_closed or similar_names(key, known)):
                refuse(cfg, node, at, key)
        for key, child in node.items():
            if key not in FREE_DICTS:
                _check_node(cfg, child, f'{at}.{key}')


def _check_type(node: Mapping, at: str, key: str = 'type') -> None:
    kind = node.get(key)
    if (isinstance(kind, str) and at not in PLAIN_DICTS
            and find_registered(kind) is None):
        names = {
            name
            for parent in ALL_REGISTRIES
            for registry in (parent, *parent.children.values())
            for name in registry.module_dict
        }
        raise ConfigError(f'{at}.{key} is {kind!r}, which is not registered'
                          + suggest(kind, names))


def known_keys(node: Any, at: str) -> tuple[set[str], bool]:
    """Find the keys that a node of the config may have.

    Args:
        node: a node of the config, or the config itself.
        at: its dotted path; empty for the config itself.

    Returns:
        The keys; no keys where they are not known. And whether all other
        keys are errors: a class may pass ``**kwargs`` to another one.
    """
    if isinstance(node, Config):
        return set(RUNNER_KEYS), True
    if not isinstance(node, Mapping):
        return set(), True
    if at in PLAIN_DICTS:
        return PLAIN_DICTS[at], True
    if at.startswith('log_processor.custom_cfg.'):
        # its method may take others
        return PLAIN_DICTS['log_processor.custom_cfg'], False
    found = receiver(node, at)
    if found is None:
        return set(), True
    known, is_closed = parameters(found)
    # EMAHook passes its other arguments to the averaged model
    if 'ema_type' in known:
        average = find_registered(
            node.get('ema_type', 'ExponentialMovingAverage'))
        if average is not None:
            known, is_closed = known | parameters(average)[0], True
    top, *rest = at.split('.')
    known = known | BUILDER_KEYS | LAYER_KEYS.get(at.split('.')[-1], set())
    place = f'{top}.*' if len(rest) == 1 else at
    return known | EXTRA_KEYS.get(place, set()), is_closed


def receiver(node: Mapping, at: str) -> Callable | None:
    """Find the class or function that receives a dictionary of the config.

    Args:
        node: the dictionary.
        at: its dotted path.

    Returns:
        None if it is not known.
    """
    top, *rest = at.split('.')
    kind = node.get('type', DEFAULT_TYPES.get(top) if not rest else None)
    if at == 'train_cfg' and node.get('by_epoch') is False:
        kind = 'IterBasedTrainLoop'
    found = find_registered(kind) if isinstance(kind, str) else kind
    return found if callable(found) else None


@cache
def parameters(found: Callable) -> tuple[frozenset[str], bool]:
    """Find the arguments that a class or function takes by name.

    Returns:
        The names, of base classes as far as ``**kwargs`` reaches them. And
        whether these are all: False where ``**kwargs`` goes elsewhere.
    """
    bases = inspect.getmro(found) if inspect.isclass(found) else (found, )
    names, is_passed_on = set(), False
    for base in bases:
        if base in (object, nn.Module):
            break
        function = vars(base).get('__init__') if inspect.isclass(
            base) else base
        if function is None:
            continue
        given = inspect.signature(function).parameters.values()
        names |= {
            p.name
            for p in given if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        }
        if all(p.kind != p.VAR_KEYWORD for p in given):
            return frozenset(names - {'self'}), True
        is_passed_on = True
    # a class without a constructor takes no arguments
    return frozenset(names - {'self'}), not is_passed_on


def find_registered(kind: Any) -> Callable | None:
    """Find the class or function of a ``type``; None if there is none."""
    if not isinstance(kind, str):
        return None
    scope = DefaultScope.get_current_instance()
    return _find_registered(kind, scope and scope.scope_name)


@cache
def _find_registered(kind: str, scope: str | None) -> Callable | None:
    for registry in ALL_REGISTRIES:
        with registry.switch_scope_and_registry(None) as scoped:
            found = scoped.get(kind)
        if found is not None:
            return found
    return None


def refuse(cfg: Config, node: Any, at: str, name: str) -> NoReturn:
    """Raise a ConfigError for a key that nothing reads."""
    where = at or 'the config'
    if isinstance(node, (list, tuple)):
        raise ConfigError(
            f'{where} is a list of {len(node)}: {name!r} is no index of it')
    if not isinstance(node, Mapping | Config):
        raise ConfigError(f'{where} is {node!r}: it has no key {name!r}')
    read, _ = known_keys(node, at)
    known = (read or set(node)) - {name} - BUILDER_KEYS
    message = f'{where} has no key {name!r}' + suggest(name, known)
    if not read and not similar_names(name, known):
        message += ' An option cannot add one, a config file can.'
    if not similar_names(name, known):
        message += paths_of(cfg, name, f'{at}.{name}')
    raise ConfigError(message)


def suggest(name: str, known: set[str], limit: int = 30) -> str:
    """'; did you mean ...?', or the known names if there are few."""
    if similar := similar_names(name, known):
        return f'; did you mean {" or ".join(map(repr, similar))}?'
    if not known or len(known) > limit:
        return '.'
    return f'; its keys are {", ".join(sorted(known))}.'


def similar_names(name: str, known: Collection[str],
                  cutoff: float = 0.75) -> list[str]:
    return get_close_matches(name, sorted(known), n=3, cutoff=cutoff)


def paths_of(cfg: Config, name: str, wrong: str = '') -> str:
    """' Perhaps one of: ...', the paths of the config that end in a name,
    except a wrong one."""
    paths = [p for p, _ in walk(cfg)
             if p.split('.')[-1] == name and p != wrong][:4]
    return f' Perhaps one of: {", ".join(paths)}' if paths else ''


def walk(node: Any, at: str = '') -> Iterator[tuple[str, Any]]:
    """Dotted paths and values of everything that the runner reads."""
    if isinstance(node, (list, tuple)):
        children = enumerate(node)
    elif isinstance(node, Mapping | Config):
        children = node.items()
    else:
        return
    for key, value in children:
        path = f'{at}.{key}' if at else str(key)
        if at or key in RUNNER_KEYS:
            yield path, value
            yield from walk(value, path)
