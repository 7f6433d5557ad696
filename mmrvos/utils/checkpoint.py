"""Checkpoints are read without running code from them, and loaded strictly."""
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from safetensors import safe_open
from safetensors.torch import save as safetensors_bytes
from torch import Tensor, nn

from mmrvos.downloads import fetch, hash_in_name, is_remote, local_name
from mmrvos.home import find_checkpoint

from .old_globals import OLD_GLOBALS
from .paths import MAX_WEIGHTS_BYTES, brief, check_file
from .plain_data import plain_data
from .texts import parse_json
from .unfinished import replacing

# Constants that the model computes, and counters that nothing reads: files of
# other projects lack them.
OPTIONAL_KEYS = ('.num_batches_tracked', '.relative_position_index')
# Tensors of one file may be this much larger than the file: compressed files
# of weights exist, but are rare and compress badly.
MAX_EXPANSION = 4
# Longest header of a file of safetensors, as in that library.
MAX_HEADER_BYTES = 100_000_000
# Where a file of safetensors keeps plain data, as JSON.
META_KEY = 'mmrvos'


class CheckpointMismatch(ValueError):
    """The keys, shapes or values of a checkpoint do not fit the model."""


def read_checkpoint(path: str | Path, map_location: str = 'cpu') -> dict:
    """Read a checkpoint without running code from it.

    Args:
        path: a local file or an http(s) URL, see :func:`read_torch_file`.
        map_location: see :func:`torch.load`.

    Returns:
        A dict of plain data with 'state_dict': bare weights are wrapped into
        one.

    Raises:
        OSError: there is no such file, or no network to download it.
        ValueError: the file is not a checkpoint, or holds other objects than
            tensors and plain data.
    """
    checkpoint = read_torch_file(path, map_location)
    if not isinstance(checkpoint, dict):
        raise ValueError(
            f'{path} holds a {type(checkpoint).__name__}, expected a '
            'dictionary of weights')
    if 'state_dict' not in checkpoint:
        checkpoint = dict(state_dict=checkpoint)
    return checkpoint


def read_torch_file(path: str | Path, map_location: str = 'cpu') -> Any:
    """Read tensors and plain data, from ``torch.save`` or safetensors.

    Args:
        path: a local file, see :func:`find_checkpoint`, or an address of
            :func:`mmrvos.downloads.fetch`, whose file is downloaded once and
            then found in torch's cache.
        map_location: see :func:`torch.load`.

    Returns:
        The content; objects of older checkpoints as plain data, see
        ``old_globals``.

    Raises:
        OSError, ValueError: as :func:`read_checkpoint`.
    """
    file = download(str(path)) if is_remote(path) else find_checkpoint(path)
    try:
        check_file(file, MAX_WEIGHTS_BYTES)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} is missing: expected a checkpoint file') from None
    try:
        _check_start(file)
        if file.suffix == '.safetensors':
            return read_safetensors(file)
        _check_archive(file)
        with _only_globals(OLD_GLOBALS):
            content = torch.load(
                file, map_location=map_location, weights_only=True)
        content = plain_data(content)
        _check_size(content, file)
    except OSError:
        raise
    except Exception as error:  # a forged file can raise any of them
        raise ValueError(
            f'{path} cannot be read as a checkpoint ({_reason(error)}); '
            f'expected a file of {_format_of(file)} with tensors and plain '
            'data only') from None
    return content


def read_safetensors(path: Path) -> dict:
    """Read a file of :func:`write_checkpoint` in the format safetensors."""
    _check_header(path)
    with safe_open(path, 'pt') as file:
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        meta = parse_json((file.metadata() or {}).get(META_KEY, '{}'))
    if not isinstance(meta, dict):
        raise ValueError(f'its data {META_KEY!r} is no dictionary')
    return dict(state_dict=weights, meta=meta)


def write_checkpoint(path: str | Path,
                     weights: Mapping[str, Tensor],
                     meta: Mapping[str, Any] | None = None) -> None:
    """Write weights, and what is known about them, as plain data.

    The file appears when it is complete. The same weights give the same
    bytes.

    Args:
        path: ends in .safetensors for that format; any other name is written
            by :func:`torch.save`.
        weights: key to tensor.
        meta: numbers, texts, lists and dictionaries.

    Raises:
        CheckpointMismatch: a value is not finite; nothing is written.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if faults := not_finite(weights):
        raise CheckpointMismatch(
            f'{path} is not written, because values of the weights are not '
            'finite:' + _listed('wrong', faults) +
            '\nThe training diverged: use an earlier checkpoint.')
    weights = {k: v.detach().cpu().contiguous() for k, v in weights.items()}
    with replacing(path) as partial, partial.open('wb') as file:
        if path.suffix == '.safetensors':
            data = {'format': 'pt', META_KEY: json.dumps(meta or {})}
            file.write(safetensors_bytes(_unshared(weights), data))
        else:
            torch.save(dict(state_dict=weights, meta=dict(meta or {})), file)


def not_finite(weights: Mapping[str, Tensor]) -> list[str]:
    """List the weights with NaN or infinity: key and number of values."""
    return [
        f'{key}: {int((~value.isfinite()).sum())} of {value.numel()}'
        for key, value in weights.items()
        if value.is_floating_point() and not bool(value.isfinite().all())
    ]


def check_finite(model: nn.Module, source: str) -> None:
    """Check the parameters of a model whose weights another library loaded.

    Args:
        model: the model.
        source: the file or name of its weights, for the message.

    Raises:
        CheckpointMismatch: a value is NaN or infinite.
    """
    if faults := not_finite(dict(model.named_parameters())):
        raise CheckpointMismatch(
            f'{source} has values that cannot be weights of '
            f'{type(model).__name__}:' + _listed('not finite', faults) +
            '\nThe file is damaged, or its training diverged.')


def _unshared(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors that share memory, which safetensors does not store."""
    seen, result = set(), {}
    for key, value in weights.items():
        pointer = value.untyped_storage().data_ptr()
        result[key] = value.clone() if pointer in seen else value
        seen.add(pointer)
    return result


def download(address: str) -> Path:
    """Download a file into torch's cache, unless it is there already.

    A part such as ``-0676ba61`` of the name is the beginning of the file's
    SHA-256, as in torchvision's names, and is checked. Other names are made
    unique, because two addresses may end in ``model.pth``.

    Raises:
        OSError, ValueError: see :func:`mmrvos.downloads.fetch`.
    """
    name = Path(urlparse(address).path).name
    digest = hash_in_name(name)
    return fetch(
        address,
        Path(torch.hub.get_dir(), 'checkpoints',
             name if digest else local_name(address)),
        sha256=digest)


@contextmanager
def _only_globals(allowed: list) -> Iterator[None]:
    """Allow torch's own list of globals and these, and no others.

    Other libraries add to the list of the process: ``getattr``, for example.
    """
    others = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(allowed)
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(others)


def _format_of(path: Path) -> str:
    """The format that the name of a file stands for."""
    return 'safetensors' if path.suffix == '.safetensors' else 'torch.save'


def _check_start(path: Path) -> None:
    """Refuse a file whose format is not the one that its name stands for.

    Files of torch.save are zips or pickles. Files of safetensors begin with
    the length of their JSON header.
    """
    with open(path, 'rb') as file:
        start = file.read(512)
    if not start:
        raise ValueError('it is empty')
    found = None
    if start.startswith((b'PK', b'\x80')):
        found = 'torch.save', '.pth'
    length = int.from_bytes(start[:8], 'little')
    if start[8:9] == b'{' and length <= MAX_HEADER_BYTES:
        found = 'safetensors', '.safetensors'
    if found and found[0] != _format_of(path):
        raise ValueError(f'it is a file of {found[0]}: rename it to end in '
                         f'{found[1]}')
    if found:
        return
    if start.startswith(b'version https://git-lfs'):
        raise ValueError('it is a pointer of Git LFS, fetch the file itself')
    is_text = all(byte in b'\t\n\r' or byte >= 32 for byte in start)
    raise ValueError('it is a text file' if is_text else 'it begins with '
                     f'{start[:4]!r}')


def _check_header(path: Path) -> None:
    """Refuse a file of safetensors that names a tensor twice.

    The library keeps one of the two.
    """
    with open(path, 'rb') as file:
        length = int.from_bytes(file.read(8), 'little')
        if length <= MAX_HEADER_BYTES:  # the library refuses others
            parse_json(file.read(length))


def _check_archive(path: Path) -> None:
    """Refuse a zip that unpacks to much more than its size."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if len({entry.filename for entry in entries}) < len(entries):
        raise ValueError('it has two entries of one name')
    _check_total(sum(entry.file_size for entry in entries), path)


def _check_size(content: Any, path: Path) -> None:
    """Refuse tensors that declare memory which the file does not fill."""
    storages, seen, waiting = {}, set(), [content]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tensor):
            storage = value.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list | tuple | set):
            waiting += value
    _check_total(sum(storages.values()), path)


def _check_total(declared: int, path: Path) -> None:
    size = path.stat().st_size
    if declared > MAX_EXPANSION * size:
        raise ValueError(f'it declares {declared} bytes of data, but has '
                         f'{size} bytes')


def _reason(error: Exception) -> str:
    """What is wrong, in a few words, out of torch's long messages."""
    text = str(error).strip() or type(error).__name__
    if code := re.search(r'GLOBAL (\S+)', text):
        return f'it asks for {code[1]}'
    if inner := re.search(r'WeightsUnpickler error: ([^\n]+)', text):
        text = inner[1]
    return re.split(r'\. |\n', text)[0]


def checked_weights(weights: Any, source: str) -> dict[str, Tensor]:
    """Check that this is a dictionary of weights.

    Args:
        weights: what a file holds as its weights.
        source: the file, for the message.

    Returns:
        Key to tensor. A prefix 'module.' that all keys share, from training
        in several processes, is removed.

    Raises:
        CheckpointMismatch: not a dictionary of tensors by name.
    """
    if not isinstance(weights, Mapping) or not weights:
        what = 'an empty one' if weights == {} else type(weights).__name__
        raise CheckpointMismatch(
            f'{source}: the weights are {what}, expected a dictionary of '
            'tensors')
    for key, value in weights.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise CheckpointMismatch(
                f'{source}: the weights hold {key!r}, a '
                f'{type(value).__name__}; expected tensors by name')
    if all(key.startswith('module.') for key in weights):
        return {k.removeprefix('module.'): v for k, v in weights.items()}
    return dict(weights)


def fitted_weights(model: nn.Module,
                   weights: Mapping[str, Tensor],
                   drop: Sequence[str] = (),
                   source: str = 'the checkpoint',
                   meta: Any = None) -> dict[str, Tensor]:
    """Check that weights fit a model; every key must.

    Args:
        model: the model that will receive the weights. It is not changed.
        weights, drop, source, meta: see :func:`load_weights`.

    Returns:
        A value for every key of the model: that of the file, or the model's
        own for dropped keys and for constants that the file lacks.

    Raises:
        CheckpointMismatch: see :func:`load_weights`.
    """
    weights = checked_weights(weights, source)
    own = model.state_dict()
    for pattern in drop:
        if not any(re.search(pattern, key) for key in own):
            raise CheckpointMismatch(
                f'{pattern!r} is to be dropped but matches no key of the '
                'model; check load_cfg.drop')

    def wanted(keys) -> set[str]:
        return {k for k in keys if not any(re.search(p, k) for p in drop)}

    missing = sorted(
        key for key in wanted(own) - set(weights)
        if not key.endswith(OPTIONAL_KEYS))
    unexpected = sorted(wanted(weights) - set(own))
    both = sorted(wanted(own) & set(weights))
    shapes = [
        f'{key}: {tuple(weights[key].shape)} in the file, '
        f'{tuple(own[key].shape)} in the model' for key in both
        if weights[key].shape != own[key].shape
    ]
    if missing or unexpected or shapes:
        raise CheckpointMismatch(
            f'{source} does not fit {type(model).__name__}: '
            f'{len(own) - len(missing) - len(shapes)} of {len(own)} keys fit.'
            + origin_of(meta) + _listed('missing', missing)
            + _listed('unexpected', unexpected)
            + _listed('of another shape', shapes) +
            '\nUse the config it was trained with, or convert it first '
            '(tools/model_converters). A training can leave out parts of it: '
            'load_cfg=dict(drop=[...]), docs/training.md.')
    faults = [
        f'{key}: {fault}' for key in both
        if (fault := _fault(weights[key], own[key]))
    ]
    if faults:
        raise CheckpointMismatch(
            f'{source} has values that cannot be weights of '
            f'{type(model).__name__}:' + _listed('wrong', faults) +
            '\nThe file is damaged, or its training diverged.')
    return own | {key: weights[key] for key in both}


def load_weights(model: nn.Module,
                 state_dict: Mapping[str, Tensor],
                 drop: Sequence[str] = (),
                 source: str = 'the checkpoint',
                 meta: Any = None) -> None:
    """Copy weights into a model; every key must fit.

    Args:
        model: the model that receives the weights.
        state_dict: key to tensor; a prefix 'module.' of all keys is ignored.
        drop: regular expressions of keys that keep the model's own values,
            for example the classifier before fine-tuning. Each must match a
            key.
        source: the file of the weights, for the message.
        meta: what the file holds as its 'meta', for the message.

    Raises:
        CheckpointMismatch: lists some of the missing and unexpected keys, the
            shapes that differ, and values that are not finite or of another
            kind of number. The model is left as it was.
    """
    model.load_state_dict(
        fitted_weights(model, state_dict, drop, source, meta))


def origin_of(meta: Any) -> str:
    """Return what a checkpoint tells about its model, as a sentence.

    Args:
        meta: what the file holds as its 'meta'. Converted files have 'name',
            those of trainings 'experiment_name', both 'cfg' (a dictionary,
            or a text in published files).

    Returns:
        The sentence after a blank; empty if the file does not tell.
    """
    if not isinstance(meta, Mapping):
        return ''
    name, cfg = meta.get('name', meta.get('experiment_name')), meta.get('cfg')
    if isinstance(cfg, str):
        found = re.search(r"^model = dict\($.*?^    type='(\w+)'", cfg,
                          re.MULTILINE | re.DOTALL)
        kind = found and found[1]
    else:
        model = cfg.get('model') if isinstance(cfg, Mapping) else None
        kind = model.get('type') if isinstance(model, Mapping) else None
    known = [
        f'{title} {brief(value)}'
        for title, value in (('name', name), ('model', kind))
        if isinstance(value, str)
    ]
    return f' Its meta data: {", ".join(known)}.' if known else ''


def _fault(value: Tensor, own: Tensor) -> str | None:
    kinds = [('floating point' if t.is_floating_point() else
              'complex' if t.is_complex() else 'integer')
             for t in (value, own)]
    if kinds[0] != kinds[1]:
        return f'{kinds[0]} in the file, {kinds[1]} in the model'
    if kinds[0] == 'floating point' and not bool(value.isfinite().all()):
        if not bool(own.isfinite().all()):
            return None  # a constant such as a mask of -inf
        count = int((~value.isfinite()).sum())
        return f'{count} of {value.numel()} values are not finite'
    return None


def _listed(title: str, lines: list[str], limit: int = 5) -> str:
    if not lines:
        return ''
    more = [f'... and {len(lines) - limit} more'] if len(lines) > limit else []
    return f'\n{len(lines)} {title}:' + ''.join(
        f'\n  {line}' for line in lines[:limit] + more)
