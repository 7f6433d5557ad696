"""The config that a training checkpoint holds, as data.

A config file is a program, and a config of data can still name any Python
function as a ``type``. Here a config out of a file is read as values only,
and its types must be registered classes.
"""
import ast
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine import registry
from mmengine.config import Config, ConfigDict

import mmrvos.registry  # noqa: F401  adds our registries to MMEngine's
from mmrvos.utils.config_values import check_values

#: what inference reads of a config
INFERENCE_KEYS = ('model', 'test_dataloader', 'visualizer')
#: registries whose classes these parts are built from
ROOTS = (registry.MODELS, registry.TASK_UTILS, registry.TRANSFORMS,
         registry.DATASETS, registry.DATA_SAMPLERS, registry.VISUALIZERS,
         registry.VISBACKENDS, registry.WEIGHT_INITIALIZERS,
         registry.FUNCTIONS)
#: what a segmentor may use of mmdet; its detectors, for example, run the
#: config file of a teacher
MMDET_PARTS = tuple(f'mmdet.models.{part}.' for part in (
    'backbones', 'layers', 'losses', 'necks', 'task_modules'))
#: longest config text that is parsed; the configs of this project have 30 KB
MAX_TEXT = 2**20


def stored_config(checkpoint: Mapping, source: str) -> ConfigDict:
    """The parts of a checkpoint's config that inference needs.

    Args:
        checkpoint: see :func:`read_checkpoint`.
        source: its file, for the message.

    Returns:
        'model', 'test_dataloader' and, if the checkpoint has one,
        'visualizer'.

    Raises:
        ValueError: there is no config, it is a program rather than values, it
            names a type that is not a registered class, or a value has
            another type than its class expects.
    """
    meta = checkpoint.get('meta')
    stored = meta.get('cfg') if isinstance(meta, dict) else None
    if stored is None:
        raise ValueError(
            f'{source} holds no config, expected a checkpoint of '
            'tools/train.py; pass the config file as model')
    try:
        if isinstance(stored, str):  # older checkpoints hold a config file
            stored = parse_literals(stored)
        for key in ('model', 'test_dataloader'):
            if not isinstance(stored.get(key), dict):
                raise ValueError(f'it has no {key}')
        config = {k: stored[k] for k in INFERENCE_KEYS if stored.get(k)}
        check_types(config)
        check_values(Config(config))
    except (ValueError, TypeError, SyntaxError, AttributeError,
            RecursionError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else 'too deep'
        raise ValueError(
            f'the config in {source} is not used ({reason}): pass the config '
            'file as model') from None
    return ConfigDict(config)


def config_text(config: Mapping) -> str:
    """Return the parts of a config that inference needs, as a text of values.

    :func:`stored_config` reads it from the 'cfg' of a checkpoint.
    """
    parts = {key: config[key] for key in INFERENCE_KEYS if config.get(key)}
    return Config(parts).pretty_text


def parse_literals(text: str) -> dict[str, Any]:
    """Read a config text of assignments, without running it.

    Args:
        text: lines such as ``model = dict(type='MTTR', num_queries=50)``, as
            ``Config.pretty_text`` writes them.

    Raises:
        SyntaxError, ValueError: the text has anything else than assignments
            of numbers, texts, lists, tuples and dictionaries to names.
    """
    if len(text) > MAX_TEXT:
        raise ValueError(f'it has {len(text)} characters')
    values = {}
    for statement in ast.parse(text).body:
        if (not isinstance(statement, ast.Assign)
                or len(statement.targets) != 1
                or not isinstance(statement.targets[0], ast.Name)):
            raise ValueError(
                f'line {statement.lineno} is not an assignment of a value')
        values[statement.targets[0].id] = literal(statement.value)
    return values


def literal(node: ast.expr) -> Any:
    """Return the value of literals and of ``dict(key=value)``."""
    if isinstance(node, ast.List | ast.Tuple):
        items = [literal(item) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {
            ast.literal_eval(key): literal(value)
            for key, value in zip(node.keys, node.values, strict=True)
        }
    if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            and node.func.id == 'dict'
            and all(isinstance(item, ast.Dict) for item in node.args)
            and all(word.arg for word in node.keywords)):
        # dict({'not a name': 1}, name=2), as pretty_text writes it
        words = {word.arg: literal(word.value) for word in node.keywords}
        return dict(*map(literal, node.args), **words)
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError(f'line {node.lineno} is not a value') from None


def check_types(config: Any) -> None:
    """Check that all types in a config are registered classes.

    MMEngine imports and calls anything that ``type`` names with a dot, and
    imports the package that ``_scope_`` names.

    Raises:
        ValueError: names the first other type.
    """
    known = None
    for key, value in _items(config):
        if key == '_scope_':
            raise ValueError(f'it sets _scope_ to {value!r}')
        if key == 'type':
            known = known or registered_names()
            if not isinstance(value, str) or value not in known:
                raise ValueError(f'the type {value!r} is not registered')


def registered_names() -> set[str]:
    """List the classes that may be built, with and without their scope."""
    import mmdet.registry  # noqa: F401  adds mmdet's registries to MMEngine's

    names = set()
    for root in ROOTS:
        for each in (root, *root.children.values()):
            each.import_from_location()
            for name, kind in each.module_dict.items():
                module = kind.__module__
                if not module.startswith('mmdet.') or module.startswith(
                        MMDET_PARTS):
                    names |= {name, f'{each.scope}.{name}'}
    return names


def _items(config: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(config, dict):
        for key, value in config.items():
            yield key, value
            yield from _items(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _items(value)
