"""Resolve the values that a config file sets, defaults included.

``tests/data/config_values.json.gz`` holds these values for every config;
``tests/test_config_values.py`` compares the configs with it. After a wanted
change of a recipe, write the file anew and commit it with the change::

    python -m tests.config_values
"""
import copy
import dataclasses
import gzip
import inspect
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from mmrvos.registry import MODELS, TASK_UTILS
from mmrvos.utils import load_config
from mmrvos.utils.config import REGISTRIES, RUNNER_KEYS

CONFIGS = Path(__file__).parents[1] / 'configs'
STORED = Path(__file__).parent / 'data' / 'config_values.json.gz'
# Replaces the config of a component that the values list on its own.
COMPONENT = '<component>'
# Packages whose constructor defaults are listed. Those of PyTorch change
# from version to version.
LIBRARIES = ('mmrvos', 'mmengine', 'mmdet', 'mmcv')


def leaf_configs() -> list[Path]:
    """Return every config that a user can start, sorted."""
    return sorted(path for path in CONFIGS.rglob('*.py')
                  if '_base_' not in path.parts)


def name_of(path: Path) -> str:
    """Return the name of a config, such as 'mlrl/r50_ytvos'."""
    return path.relative_to(CONFIGS).with_suffix('').as_posix()


@contextmanager
def weightless() -> Iterator[None]:
    """Build modules on the meta device, where no weight is allocated."""
    # Constructors read drop path rates, so linspace stays on the CPU.
    on_cpu = partial(torch.linspace, device='cpu')
    with torch.device('meta'), mock.patch.object(torch, 'linspace', on_cpu):
        yield


def find_class(name: str) -> type | None:
    """Return the class that a ``type`` in a config stands for."""
    with DefaultScope.overwrite_default_scope('mmrvos'):
        for registry in REGISTRIES:
            with registry.switch_scope_and_registry(None) as scoped:
                found = scoped.get(name)
            if inspect.isclass(found):
                return found
    return None


@cache
def defaults(name: str) -> dict[str, Any]:
    """Return the default arguments of a class, those of its bases included
    as far as ``**kwargs`` passes them on."""
    found = find_class(name)
    values = {}
    if found is None or found.__module__.split('.')[0] not in LIBRARIES:
        return values
    for base in inspect.getmro(found):
        if '__init__' not in vars(base):
            continue
        parameters = inspect.signature(base.__init__).parameters.values()
        for parameter in parameters:
            if parameter.default is not parameter.empty:
                values.setdefault(parameter.name, parameter.default)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return {key: plain(value) for key, value in values.items()}


def plain(value: Any) -> Any:
    """Resolve a value to JSON types; a dict with a ``type`` gets the defaults
    of its class."""
    if isinstance(value, Mapping):
        value = {str(key): plain(item) for key, item in value.items()}
        if isinstance(value.get('type'), str):
            value = defaults(value['type']) | value
        return dict(sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return repr(value)


@cache
def is_component(name: str) -> bool:
    """Whether :func:`build_model` records instances of this class itself."""
    found = find_class(name)
    return found is not None and (
        found.__module__.startswith('mmrvos.models.')
        or issubclass(found, nn.Module)
        and found.__module__.startswith('mmdet.models.backbones'))


def arguments(cfg: Mapping) -> dict[str, Any]:
    """Resolve the arguments of a component, without those of the components
    inside."""

    def without_components(value: Any) -> Any:
        if isinstance(value, dict):
            kind = value.get('type')
            if isinstance(kind, str) and is_component(kind):
                return COMPONENT
            return {k: without_components(v) for k, v in value.items()}
        return value

    cfg = plain(cfg)
    return {key: without_components(value) for key, value in cfg.items()}


def build_model(cfg: dict) -> tuple[nn.Module, dict[str, Any]]:
    """Build a model without weights and record what its components get.

    Args:
        cfg: the ``model`` of a config.

    Returns:
        The model; and the arguments of every component by its place in the
        model, of which arguments that the segmentor derives are part.
        Components that are no modules have their class as their place.
    """
    places, others = {}, {}

    def record(build, cfg, *args, **kwargs):
        component = build(light(cfg), *args, **kwargs)
        if isinstance(component, nn.Module):
            places[component] = arguments(cfg)
        else:
            others[f"({cfg['type']})"] = arguments(cfg)
        return component

    with weightless(), DefaultScope.overwrite_default_scope('mmrvos'), \
            mock.patch.object(MODELS, 'build_func',
                              partial(record, MODELS.build_func)), \
            mock.patch.object(TASK_UTILS, 'build_func',
                              partial(record, TASK_UTILS.build_func)):
        model = MODELS.build(copy.deepcopy(cfg))
    values = others | {
        name or 'model': places[module]
        for name, module in model.named_modules() if module in places
    }
    values['model'].pop('test_cfg')
    values['test_cfg'] = {
        key: value
        for key, value in plain(dataclasses.asdict(model.test_cfg)).items()
        if key not in ('postprocessor', 'propagator')  # components
    }
    values['parameters'] = {
        'number': sum(p.numel() for p in model.parameters()),
        'trained': sum(
            p.numel() for p in model.parameters() if p.requires_grad)
    }
    return model, dict(sorted(values.items()))


def light(cfg: dict) -> dict:
    """Replace a text model that has to be downloaded by a small one, and
    other downloads by random weights."""
    if cfg['type'] == 'SAM2Network':
        return dict(cfg, weights=None)
    layers = dict(HuggingFaceTextEncoder=1, StagedTextEncoder=12)
    if cfg['type'] not in layers:
        return cfg
    if not (cfg.get('name') or cfg.get('tokenizer')):
        return cfg
    return dict(
        cfg,
        name=None,
        tokenizer=None,
        vocabulary='a dog',
        config=dict(
            hidden_size=8,
            num_hidden_layers=layers[cfg['type']],
            num_attention_heads=1,
            intermediate_size=8))


@cache
def _build_model(cfg: str) -> tuple[nn.Module, dict[str, Any]]:
    return build_model(json.loads(cfg))


@cache
def read(path: Path) -> tuple[Config, nn.Module, dict[str, Any]]:
    """Read a config file and build its model, once per process.

    Args:
        path: of the config file.

    Returns:
        The config, the model without weights, shared by configs with equal
        models, and the config's values.
    """
    cfg = load_config(path)
    model, components = _build_model(json.dumps(cfg.model.to_dict()))
    values = {
        key: plain(value)
        for key, value in cfg.to_dict().items()
        if key in RUNNER_KEYS and key != 'model'
    }
    return cfg, model, values | {'model': components}


def write(path: Path = STORED) -> None:
    """Write the values of all configs."""
    values = {name_of(leaf): read(leaf)[2] for leaf in leaf_configs()}
    text = json.dumps(values, sort_keys=True, separators=(',', ':'))
    path.parent.mkdir(exist_ok=True)
    # without a time stamp: equal values give an equal file
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def stored() -> dict[str, Any]:
    """Read the stored values, by the name of the config."""
    return json.loads(gzip.decompress(STORED.read_bytes()))


if __name__ == '__main__':
    write()
