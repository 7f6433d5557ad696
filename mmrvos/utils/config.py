"""A misspelt config key is refused: MMEngine would let it pass in silence."""
import inspect
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import (
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODELS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    TASK_UTILS,
    TRANSFORMS,
    VISBACKENDS,
    VISUALIZERS,
    DefaultScope,
)
from mmengine.runner import Runner

REGISTRIES = (MODELS, DATASETS, TRANSFORMS, DATA_SAMPLERS, HOOKS, METRICS,
              LOOPS, OPTIM_WRAPPERS, OPTIMIZERS, PARAM_SCHEDULERS, TASK_UTILS,
              VISUALIZERS, VISBACKENDS, LOG_PROCESSORS)
# Everything else at the top level of a config is a helper variable that only
# its own file reads.
RUNNER_KEYS = frozenset(inspect.signature(Runner.__init__).parameters) - {
    'self', 'cfg'
} | {
    'activation_checkpointing', 'compile', 'efficient_conv_bn_eval',
    'find_unused_parameters', 'load_cfg', 'model_wrapper_cfg', 'sync_bn'
}
# What is read key by key; all else goes to constructors, which check it.
PLAIN_DICTS = {
    'auto_scale_lr': {'enable', 'base_batch_size'},
    'env_cfg': {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'},
    'load_cfg': {'drop'},
    # the fields of mmrvos.models.InferenceCfg
    'model.test_cfg': {
        'amp', 'expressions_per_pass', 'overlap', 'postprocessor',
        'propagator', 'query', 'window'
    },
    'optim_wrapper.paramwise_cfg': {
        'bias_decay_mult', 'bias_lr_mult', 'bypass_duplicate', 'custom_keys',
        'dcn_offset_lr_mult', 'dwconv_decay_mult', 'flat_decay_mult',
        'norm_decay_mult'
    },
}


class ConfigError(ValueError):
    """A config file or a --cfg-options key that is not right."""


def load_config(path: str | Path,
                options: Mapping[str, Any] | None = None) -> Config:
    """Read a config file and change some of its values.

    Args:
        path: the config file.
        options: dotted key to value, e.g. ``{'optim_wrapper.optimizer.lr':
            1e-4}``, as ``--cfg-options`` gives them.

    Raises:
        FileNotFoundError: no such file.
        ConfigError: a key that does not exist, with the ones it may be.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'{path} is missing: expected a config file, e.g. '
            'configs/referformer/tiny_shapes.py')
    cfg = Config.fromfile(path)
    for key in set(cfg) - RUNNER_KEYS:
        similar = get_close_matches(key, RUNNER_KEYS, n=1, cutoff=0.8)
        if similar:
            raise ConfigError(
                f'{path} sets {key!r}, which nothing reads; did you mean '
                f'{similar[0]!r}?')
    _check_plain_dicts(cfg)
    apply_options(cfg, options or {})
    return cfg


def apply_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Change values of a config in place.

    Raises:
        ConfigError: a key that does not exist, with the ones it may be.
    """
    DefaultScope.get_instance(
        f'config_{id(cfg)}', scope_name=cfg.get('default_scope', 'mmrvos'))
    for key in options:
        _check_option(cfg, key)
    cfg.merge_from_dict(dict(options))
    _check_plain_dicts(cfg)


def without_downloads(model: dict, vocabulary: Sequence[str]) -> None:
    """Make a model's config, in place, one of random weights.

    Args:
        model: its config; a text model by name becomes a RoBERTa-base, and a
            propagator keeps its architecture.
        vocabulary: words that this one knows; repetitions do no harm.
    """
    vocabulary = sorted(set(vocabulary))
    model['backbone']['init_cfg'] = None
    text = model['text_encoder']
    if text.pop('name', None):
        text.update(
            vocabulary=vocabulary,
            config=dict(vocab_size=50265, max_position_embeddings=514))
    elif text.pop('tokenizer', None):
        text['vocabulary'] = vocabulary
    if propagator := model.get('test_cfg', {}).get('propagator'):
        propagator['weights'] = None


def default_work_dir(path: str | Path) -> str:
    """work_dirs/<folder of the config>/<name of the config>"""
    path = Path(path).resolve()
    return str(Path('work_dirs', path.parent.name, path.stem))


def _check_plain_dicts(cfg: Config) -> None:
    for path, known in PLAIN_DICTS.items():
        node = cfg
        for name in path.split('.'):
            node = node.get(name) or {}
        for key in set(node) - known:
            raise ConfigError(f'{path} has no key {key!r}; its keys are '
                              f'{", ".join(sorted(known))}')


def _check_option(cfg: Config, key: str) -> None:
    """A key may be set if it exists, or if the class that would receive it
    has a parameter of that name."""
    *parents, last = key.split('.')
    top = key.split('.')[0]
    if top in cfg and top not in RUNNER_KEYS:
        raise ConfigError(
            f'{key}: {top!r} is a helper variable of the config file, '
            'changing it now changes nothing.' + _said_like(cfg, last))
    node, at = cfg, ''
    for name in parents:
        if not _has(node, name):
            raise ConfigError(_unknown(cfg, node, at, name))
        node = _get(node, name)
        at = f'{at}.{name}'.lstrip('.')
    if (_has(node, last) or last in _parameters(node, at)
            or last in PLAIN_DICTS.get(at, ())):
        return
    raise ConfigError(_unknown(cfg, node, at, last))


def _has(node: Any, name: str) -> bool:
    if isinstance(node, (list, tuple)):
        return name.isdigit() and int(name) < len(node)
    return isinstance(node, Mapping | Config) and name in node


def _get(node: Any, name: str) -> Any:
    return node[int(name) if isinstance(node, (list, tuple)) else name]


def _parameters(node: Any, at: str) -> set[str]:
    """Names that may be added to a node of the config."""
    if isinstance(node, Config):
        return set(RUNNER_KEYS)
    if not isinstance(node, Mapping):
        return set()
    kind = node.get('type')
    if not isinstance(kind, str):
        return set()
    for registry in REGISTRIES:
        with registry.switch_scope_and_registry(None) as scoped:
            found = scoped.get(kind)
        if inspect.isclass(found):
            return {
                name
                for base in inspect.getmro(found)
                for name in inspect.signature(base.__init__).parameters
            } - {'self', 'args', 'kwargs'}
    return set()


def _unknown(cfg: Config, node: Any, at: str, name: str) -> str:
    where = at or 'the config'
    if isinstance(node, (list, tuple)):
        return f'{where} is a list of {len(node)}: {name!r} is no index of it'
    if not isinstance(node, Mapping | Config):
        return f'{where} is {node!r}: it has no key {name!r}'
    known = sorted(
        set(node) | _parameters(node, at) | PLAIN_DICTS.get(at, set()))
    similar = get_close_matches(name, known, n=3)
    if similar:
        return f'{where} has no key {name!r}; did you mean ' + ' or '.join(
            repr(s) for s in similar) + '?'
    return (f'{where} has no key {name!r}; its keys are '
            f'{", ".join(known)}.' + _said_like(cfg, name))


def _said_like(cfg: Config, name: str) -> str:
    paths = [p for p in _walk(cfg) if p.split('.')[-1] == name][:4]
    return f' Perhaps one of: {", ".join(paths)}' if paths else ''


def _walk(node: Any, at: str = '') -> Iterator[str]:
    """Dotted paths of everything the runner reads."""
    if isinstance(node, (list, tuple)):
        children = enumerate(node)
    elif isinstance(node, Mapping | Config):
        children = node.items()
    else:
        return
    for key, value in children:
        path = f'{at}.{key}' if at else str(key)
        if at or key in RUNNER_KEYS:
            yield path
            yield from _walk(value, path)
