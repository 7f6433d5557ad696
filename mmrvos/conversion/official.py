"""Convert a file of an official repository to a checkpoint of ours."""
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mmrvos.registry import MODELS
from mmrvos.utils import (
    checked_weights,
    fitted_weights,
    load_config,
    read_checkpoint,
    without_downloads,
    write_checkpoint,
)

from .key_map import Report
from .methods import METHODS


def read_official(path: str | Path) -> dict[str, Tensor]:
    """Read the weights of an official checkpoint, without running its code.

    Raises:
        OSError, ValueError: see :func:`mmrvos.utils.read_checkpoint`.
    """
    checkpoint = read_checkpoint(path)['state_dict']
    keys = ('model', 'model_state_dict')  # MTTR and SOC have the latter
    if isinstance(checkpoint, dict):
        found = [checkpoint[k] for k in keys if k in checkpoint]
        checkpoint = found[0] if found else checkpoint
    return checked_weights(checkpoint, path)


def convert_file(method: str,
                 source: str | Path,
                 target: str | Path,
                 config: str | Path | None = None,
                 cfg_options: Mapping[str, Any] | None = None,
                 meta: Mapping[str, Any] | None = None) -> Report:
    """Convert an official checkpoint, and write the result.

    Every key is renamed or dropped by exactly one rule. Nothing is downloaded.

    Args:
        method: one of ``METHODS``.
        source: the official file.
        target: the file to write, ``.pth`` or ``.safetensors``.
        config: the result must fit the model of this config file in every
            key and shape; None checks nothing.
        cfg_options: changes of ``config``, see :func:`load_config`.
        meta: plain data that the file holds beside the weights.

    Returns:
        What happened to every official key.

    Raises:
        OSError: ``source`` cannot be read or ``target`` cannot be written.
        ValueError: ``source`` is not a checkpoint of this method, or not that
            of the config.
    """
    weights, report = METHODS[method](read_official(source))
    if config is not None:
        model = load_config(config, cfg_options).model
        # the weights to come replace all that would be downloaded
        without_downloads(model, ['the'])
        fitted_weights(MODELS.build(model), weights, source=str(source))
    write_checkpoint(target, weights, meta)
    return report


def method_of(converter: str) -> str:
    """Return the method of a metafile's ``Converter``.

    Args:
        converter: for example 'official_to_mmrvos.py referformer'.

    Raises:
        ValueError: another program, or an unknown method.
    """
    program, *arguments = shlex.split(converter)
    if program != 'official_to_mmrvos.py' or len(arguments) != 1 or (
            arguments[0] not in METHODS):
        raise ValueError(
            f'the converter is {converter!r}, expected "official_to_mmrvos.py '
            f'METHOD" with one of {", ".join(sorted(METHODS))}')
    return arguments[0]
