"""Pretrained weights of ``init_cfg``: read safely, loaded strictly.

MMEngine's loaders read a file that asks for code a second time, with
``weights_only=False``. The loaders of this file take their place as soon as
``mmrvos.utils`` is imported.
"""
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.model import BaseModule, initialize
from mmengine.runner import CheckpointLoader
from torch import nn

from .checkpoint import (
    CheckpointMismatch,
    check_finite,
    fitted_weights,
    read_checkpoint,
    read_torch_file,
)

OTHER_SCHEMES = (r'(\S+\:)?s3://', r'(\S+\:)?petrel://', 'pavi://',
                 'modelzoo://', 'torchvision://', 'open-mmlab://',
                 'openmmlab://', 'mmcls://')


@CheckpointLoader.register_scheme(('', 'http://', 'https://'), force=True)
def load_from_file_or_url(filename: str, map_location: Any = None) -> Any:
    """Read a checkpoint for MMEngine, see :func:`read_torch_file`."""
    return read_torch_file(filename, map_location or 'cpu')


@CheckpointLoader.register_scheme(OTHER_SCHEMES, force=True)
def load_from_nowhere(filename: str, map_location: Any = None) -> None:
    """Refuse a checkpoint of a storage service or a foreign model zoo.

    Raises:
        ValueError: always.
    """
    raise ValueError(
        f'{filename}: this kind of address is not supported; give a file or '
        'an http(s) address')


@contextmanager
def strict_init(model: nn.Module) -> Iterator[None]:
    """Check that ``init_weights`` finds every pretrained weight in its file.

    MMEngine and mmdet only warn about missing weights, and train random ones.
    Weights that the file has beyond those of the module, such as a
    classifier, are ignored. So are missing norms that mmdet's Swin adds to
    its outputs.

    Raises:
        CheckpointMismatch: lists what is missing, of another shape, or not
            finite.
    """
    modules = [m for m in model.modules() if pretrained_cfg(m)]

    def refuse_missing(module: nn.Module, keys: Any) -> None:
        missing = [
            key for key in keys.missing_keys
            if not key.startswith('norm') and 'num_batches_tracked' not in key
        ]
        if missing:
            raise CheckpointMismatch(
                f'{pretrained_cfg(module)["checkpoint"]} does not fit '
                f'{type(module).__name__}: {len(missing)} of its weights are '
                f'missing, e.g. {missing[0]}')

    hooks = [
        module.register_load_state_dict_post_hook(refuse_missing)
        for module in modules
        if type(module).init_weights is not BaseModule.init_weights
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    for module in modules:
        if type(module).init_weights is BaseModule.init_weights:
            check_pretrained(module)
        check_finite(module, pretrained_cfg(module)['checkpoint'])


def apply_init_cfg(module: BaseModule) -> None:
    """Apply the ``init_cfg`` of a module with an ``init_weights`` of its own.

    It is the last step of that method: a file replaces the initial values.
    ``BaseModule.init_weights`` would initialise the children again.

    Raises:
        CheckpointMismatch, OSError, ValueError: the file does not fit, is
            missing or is no checkpoint.
    """
    cfgs = module.init_cfg or []
    cfgs = [cfgs] if isinstance(cfgs, dict) else cfgs
    # files last, as in MMEngine
    initialize(
        module, sorted(cfgs, key=lambda cfg: cfg['type'] == 'Pretrained'))
    if pretrained_cfg(module):
        check_pretrained(module)


def pretrained_cfg(module: nn.Module) -> dict | None:
    """The entry of ``init_cfg`` that names a file, None without one."""
    cfgs = getattr(module, 'init_cfg', None) or []
    cfgs = [cfgs] if isinstance(cfgs, dict) else cfgs
    return next((cfg for cfg in cfgs if cfg['type'] == 'Pretrained'), None)


def check_pretrained(module: BaseModule) -> None:
    """Check that a module's pretrained file has all of its weights.

    Raises:
        CheckpointMismatch: lists what is missing or of another shape.
    """
    cfg = pretrained_cfg(module)
    source = cfg['checkpoint']
    weights = read_checkpoint(source)['state_dict']
    if prefix := cfg.get('prefix'):
        prefix = prefix.rstrip('.') + '.'
        weights = {
            key.removeprefix(prefix): value
            for key, value in weights.items() if key.startswith(prefix)
        }
    own = module.state_dict()
    fitted_weights(
        module, {k: v for k, v in weights.items() if k in own} or weights,
        source=source)
