"""Layout of the configs; each is built, with a small text model."""
import ast
import inspect
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

from mmrvos.apis import read_model_index
from mmrvos.models.propagators import STCNPropagator
from mmrvos.moving_shapes import VOCABULARY
from mmrvos.registry import DATASETS

from .config_values import (
    CONFIGS,
    build_model,
    find_class,
    leaf_configs,
    name_of,
    read,
)

ROOT = CONFIGS.parent
MODEL_INDEX = read_model_index(ROOT)


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmrvos'):
        yield


def bases(path: Path) -> list[Path]:
    """Return the files that a config file names as its ``_base_``."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == '_base_':
            names = ast.literal_eval(node.value)
            names = [names] if isinstance(names, str) else names
            return [(path.parent / name).resolve() for name in names]
    return []


def depth(path: Path) -> int:
    """Count the levels of base files below a config file."""
    return 1 + max(map(depth, bases(path)), default=-1)


def files(path: Path) -> set[Path]:
    """Return the files to read for a config, the config itself included."""
    return {path}.union(*map(files, bases(path)))


@pytest.mark.parametrize('path', leaf_configs(), ids=name_of)
def test_leaf_is_flat(path):
    """At most two levels of base files, at most six files to read."""
    read = sorted(file.relative_to(CONFIGS).as_posix() for file in files(path))
    assert depth(path) <= 2, f'{name_of(path)} reads {read}'
    assert len(read) <= 6, f'{name_of(path)} reads {read}'


def test_shared_models_and_schedules_serve_several_methods():
    """What one method uses lies in its own folder, configs/METHOD/_base_."""
    users = {path: set() for kind in ('models', 'schedules')
             for path in CONFIGS.glob(f'_base_/{kind}/*.py')}
    for leaf in leaf_configs():
        for path in files(leaf) & set(users):
            users[path].add(name_of(leaf).split('/')[0])
    assert {path: methods for path, methods in users.items()
            if len(methods) < 2} == {}


def model_files() -> list[Path]:
    """Return the base files that define the model of a method."""
    return sorted(
        path for path in CONFIGS.rglob('*.py')
        if '_base_' in path.parts
        and 'backbone' in Config.fromfile(path).get('model', {}))


@pytest.mark.parametrize(
    'backbone',
    sorted(CONFIGS.glob('_base_/backbones/*.py')), ids=lambda p: p.stem)
@pytest.mark.parametrize('model', model_files(), ids=lambda p: p.stem)
def test_backbone_fits_model(model, backbone, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(f"_base_ = ['{model}', '{backbone}']\n"
                    f"model = _base_.{backbone.stem.replace('-', '_')}\n")
    cfg = Config.fromfile(path).model
    # The constructor runs the backbone and compares its channels.
    built, _ = build_model(cfg)
    assert type(built.backbone) is find_class(cfg.backbone.type)


@pytest.mark.parametrize('path', leaf_configs(), ids=name_of)
def test_config_builds(path):
    cfg, model, _ = read(path)
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader is None:  # configs that only test
            assert split != 'test'
            continue
        dataset = loader.dataset
        parts = dataset.get('datasets', [dataset])
        for part in parts:
            Compose(part.pipeline)
            DATASETS.get(part.type)
        if split != 'train':
            Evaluator(cfg[f'{split}_evaluator'])
    if 'train_dataloader' not in cfg:
        return
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    assert optim_wrapper.param_groups
    # the effective batch is stated: so many processes of this batch size
    assert cfg.auto_scale_lr.base_batch_size % (
        cfg.train_dataloader.batch_size) == 0
    # nothing is left of a base's schedule: the last drop lies in the training
    epochs = cfg.train_cfg.max_epochs
    for scheduler in cfg.param_scheduler:
        if scheduler.get('by_epoch', True):  # others count steps
            assert all(m < epochs for m in scheduler.get('milestones', []))


def test_load_from_is_what_another_config_writes():
    """A download or a training writes the file, and its weights fit."""
    chained = []
    for path in leaf_configs():
        cfg, model, _ = read(path)
        if not cfg.load_from or (ROOT / cfg.load_from).is_file():
            continue
        entry = MODEL_INDEX[Path(cfg.load_from).stem]
        assert cfg.load_from == entry.checkpoint, path
        source, source_model, _ = read(entry.config)
        assert entry.converted_from or 'train_dataloader' in source, path
        drop = (cfg.load_cfg or {}).get('drop', ())
        assert shapes(source_model, drop) == shapes(model, drop), path
        chained.append(path)
    assert len(chained) > 50


def shapes(model: nn.Module, drop: Sequence[str]) -> dict[str, torch.Size]:
    """Return the shapes of weights whose keys no pattern drops."""
    return {key: value.shape for key, value in model.state_dict().items()
            if not any(re.search(pattern, key) for pattern in drop)}


def test_every_stcn_config_uses_the_file_of_the_index():
    default = inspect.signature(STCNPropagator).parameters['weights'].default
    assert default == MODEL_INDEX['stcn'].checkpoint


def test_learning_rates_of_the_official_recipe():
    cfg = Config.fromfile(CONFIGS / 'referformer/r50_ytvos.py')
    model, _ = build_model(cfg.model)
    groups = build_optim_wrapper(model, cfg.optim_wrapper).param_groups
    rates = Counter(
        group['lr'] for group in groups for p in group['params']
        if p.requires_grad)
    # the official count: 298 + 18 of the rest, 42 of the backbone
    assert rates == {1e-4: 316, 5e-5: 42}
    assert {group['weight_decay'] for group in groups} == {5e-4}
    # a text model that is trained has its own rate, its projection has not
    model.text_encoder.model.requires_grad_(True)
    groups = build_optim_wrapper(model, cfg.optim_wrapper).param_groups
    by_param = {id(p): g['lr'] for g in groups for p in g['params']}
    for name, p in model.named_parameters():
        if name.startswith('text_encoder.model'):
            assert by_param[id(p)] == pytest.approx(1e-5)
        elif name.startswith('text_encoder.projection'):
            assert by_param[id(p)] == 1e-4


def test_tiny_configs_have_the_same_budget():
    for path in CONFIGS.rglob('tiny_shapes*.py'):
        cfg = Config.fromfile(path)
        hook, = (h for h in cfg.custom_hooks
                 if h.type == 'TrainingStagesHook')
        stages = [stage.epochs for stage in hook.stages]
        # a tiny config on another's weights adds at most half the budget
        budget = 50 if cfg.get('load_from') else 100
        assert sum(stages) == cfg.train_cfg.max_epochs <= budget, path
        assert cfg.get('load_from') or sum(stages) == budget, path
        assert min(stages) > 0, path
        assert cfg.auto_scale_lr.base_batch_size == 16, path


def test_tiny_models_know_all_words_of_moving_shapes():
    for path in CONFIGS.glob('*/tiny_shapes.py'):
        words = Config.fromfile(path).model.text_encoder.vocabulary.split()
        assert words == list(VOCABULARY), (
            f'{path}: update the vocabulary of the tiny model')
