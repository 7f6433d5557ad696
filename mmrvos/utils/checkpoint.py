"""Checkpoints are read without running code from them, and loaded strictly."""
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from urllib.error import URLError

import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from torch import Tensor, nn

# What MMEngine's training checkpoints hold besides tensors: the log history.
# `getattr` is how pickle names its methods; torch lets a file look such a
# method up, and calls nothing that is not in this list.
SAFE_GLOBALS = [
    HistoryBuffer, getattr, np.ndarray, np.dtype,
    np._core.multiarray._reconstruct, np._core.multiarray.scalar,
    *(type(np.dtype(name)) for name in ('float64', 'int64', 'uint32'))
]


class CheckpointMismatch(ValueError):
    """The keys or shapes of a checkpoint are not those of the model."""


def read_checkpoint(path: str | Path, map_location: str = 'cpu') -> dict:
    """Read a checkpoint, refusing pickled code.

    Args:
        path: a local file or an http(s) URL (downloaded once, then cached).
        map_location: see :func:`torch.load`.

    Returns:
        A dict with 'state_dict': bare weights are wrapped into one.

    Raises:
        OSError: no such file, or no network to download it.
        ValueError: not a checkpoint, or one that would run code.
    """
    path = str(path)
    try:
        with torch.serialization.safe_globals(SAFE_GLOBALS):
            if path.startswith(('http://', 'https://')):
                checkpoint = torch.hub.load_state_dict_from_url(
                    path, map_location=map_location, weights_only=True)
            elif Path(path).is_file():
                checkpoint = torch.load(
                    path, map_location=map_location, weights_only=True)
            else:
                raise FileNotFoundError(
                    f'{path} is missing: expected a checkpoint file')
    except URLError as error:
        raise OSError(
            f'{path} cannot be downloaded from here ({error.reason}): fetch '
            'it where there is a network and pass the file') from None
    except (UnpicklingError, RuntimeError, EOFError) as error:
        code = re.search(r'GLOBAL (\S+)', str(error))
        reason = (f'it wants to call {code[1]}'
                  if code else re.split(r'\. |\n', str(error).strip())[0])
        raise ValueError(
            f'{path} cannot be read as a checkpoint ({reason}); expected a '
            'file written by torch.save that holds tensors and plain data '
            'only') from None
    if not isinstance(checkpoint, Mapping):
        raise ValueError(
            f'{path} holds a {type(checkpoint).__name__}, expected a '
            'dictionary of weights')
    if 'state_dict' not in checkpoint:
        checkpoint = dict(state_dict=checkpoint)
    return checkpoint


def load_weights(model: nn.Module,
                 state_dict: Mapping[str, Tensor],
                 drop: Sequence[str] = (),
                 source: str = 'the checkpoint') -> None:
    """Copy weights into a model; every key must fit.

    Args:
        model: what receives the weights.
        state_dict: key to tensor; a leading 'module.' is ignored.
        drop: regular expressions of keys that keep the model's own values,
            e.g. the classifier before fine-tuning. Each must match a key.
        source: where the weights come from, for the message.

    Raises:
        CheckpointMismatch: lists the missing and unexpected keys and the
            shapes that differ. The model is left as it was.
    """
    state_dict = {
        re.sub(r'^module\.', '', key): value
        for key, value in state_dict.items()
    }
    own = model.state_dict()
    for pattern in drop:
        if not any(re.search(pattern, key) for key in own):
            raise CheckpointMismatch(
                f'{pattern!r} is to be dropped but matches no key of the '
                'model; check load_cfg.drop')

    def wanted(keys) -> set[str]:
        return {k for k in keys if not any(re.search(p, k) for p in drop)}

    # official files have no batch counts for their frozen norms, which nothing
    # reads there; Swin's index tables are constants that the model computes
    missing = sorted(
        key for key in wanted(own) - set(state_dict)
        if not key.endswith(('.num_batches_tracked',
                             '.relative_position_index')))
    unexpected = sorted(wanted(state_dict) - set(own))
    shapes = [
        f'{key}: {tuple(state_dict[key].shape)} in the file, '
        f'{tuple(own[key].shape)} in the model'
        for key in sorted(wanted(own) & set(state_dict))
        if state_dict[key].shape != own[key].shape
    ]
    if missing or unexpected or shapes:
        raise CheckpointMismatch(
            f'{source} does not fit {type(model).__name__}: '
            f'{len(own) - len(missing) - len(shapes)} of {len(own)} keys fit.'
            + _listed('missing', missing) + _listed('unexpected', unexpected)
            + _listed('of another shape', shapes) +
            '\nUse the config it was trained with, or convert it first '
            '(tools/model_converters).')
    # checked above, more finely than by strict=True
    model.load_state_dict(
        {key: state_dict[key]
         for key in wanted(state_dict)}, strict=False)


def _listed(title: str, lines: list[str], limit: int = 20) -> str:
    if not lines:
        return ''
    more = [f'... and {len(lines) - limit} more'] if len(lines) > limit else []
    return f'\n{len(lines)} {title}:' + ''.join(
        f'\n  {line}' for line in lines[:limit] + more)
