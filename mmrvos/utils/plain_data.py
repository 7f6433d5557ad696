"""The plain data that checkpoints consist of.

These are numbers, texts, None, tensors, and lists, tuples, sets and
dictionaries of these. ``torch.load`` reads them with ``weights_only=True``
without any further class.
"""
import logging
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, print_log
from torch import Tensor, nn

from .old_globals import StandIn

SCALARS = (type(None), bool, int, float, complex, str, bytes, torch.dtype,
           torch.device, torch.layout)
#: deepest nesting that is read
MAX_DEPTH = 64
#: in the place of an entry that is not stored
LEFT_OUT = object()


def pack(value: Any, where: str = 'checkpoint') -> Any:
    """Turn the state of a training into plain data.

    A HistoryBuffer becomes a dictionary of tensors, see :func:`unpack_history`
    for the way back. Arrays of numbers become tensors; paths, classes and
    functions (``type`` in a config) become texts. An entry of another type is
    left out with a warning.

    Args:
        value: the state.
        where: its name, for the warning.
    """
    if type(value) in SCALARS or isinstance(value, Tensor):
        return value
    if isinstance(value, HistoryBuffer):
        log, count = value.data
        return dict(
            log_history=torch.tensor(log),
            count_history=torch.tensor(count),
            max_length=value.max_length)
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in 'biuf':
            return value.tolist()
        return torch.tensor(np.ascontiguousarray(value))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, type | FunctionType):
        return f'{value.__module__}.{value.__qualname__}'
    for kind in (str, int, float):  # subclasses, enumerations for example
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, Counter):
        return value
    if isinstance(value, Mapping):
        packed = ((pack(k), pack(v, f'{where}.{k}'))
                  for k, v in value.items())
        return {k: v for k, v in packed if v is not LEFT_OUT}
    if isinstance(value, list | tuple | set | frozenset | deque):
        items = (pack(v, where) for v in value)
        kind = type(value) if type(value) in (tuple, set) else list
        return kind(v for v in items if v is not LEFT_OUT)
    print_log(
        f'{where} is a {type(value).__name__}, which a checkpoint does not '
        'store: it is left out',
        logger='current',
        level=logging.WARNING)
    return LEFT_OUT


def unpack_history(packed: Mapping) -> HistoryBuffer:
    """A HistoryBuffer from what :func:`pack` made of it."""
    return HistoryBuffer(packed['log_history'].cpu().numpy(),
                         packed['count_history'].cpu().numpy(),
                         packed['max_length'])


def plain_data(value: Any) -> Any:
    """Check what was read from a file, and return it as plain data.

    Tensors come back without the attributes and hooks that a file can attach
    to them; the objects of older checkpoints (``old_globals``) as plain data.

    Raises:
        ValueError: an entry is of another type; the message says where.
    """
    return _Reader().read(value, 'it', MAX_DEPTH)


class _Reader:
    """Converts every object once, however often the file refers to it."""

    def __init__(self) -> None:
        # id: (object, its plain form); the object is kept to keep its id
        self.done: dict[int, tuple[Any, Any]] = {}

    def read(self, value: Any, where: str, depth: int) -> Any:
        if type(value) in SCALARS:
            return value
        if depth == 0:
            raise ValueError(f'{where} is nested more than {MAX_DEPTH} deep')
        if id(value) not in self.done:
            plain = self._convert(value, where, depth - 1)
            self.done[id(value)] = value, plain
        return self.done[id(value)][1]

    def _convert(self, value: Any, where: str, depth: int) -> Any:
        if isinstance(value, Tensor):
            return plain_tensor(value, where)
        if isinstance(value, StandIn):
            return self.read(value.plain(), where, depth)
        if isinstance(value, dict):
            items = {}
            for key, item in value.items():
                if not is_key(key):
                    raise ValueError(
                        f'{where} has a key of type {type(key).__name__}')
                items[key] = self.read(item, f'{where}.{str(key)[:80]}', depth)
            return Counter(items) if type(value) is Counter else items
        if type(value) in (list, tuple, set, torch.Size):
            kind = tuple if type(value) is torch.Size else type(value)
            return kind(self.read(item, where, depth) for item in value)
        name = getattr(value, '__name__', type(value).__name__)
        raise ValueError(f'{where} is a {name}')


def is_key(value: Any) -> bool:
    """Tell whether a dictionary may have this key."""
    if type(value) is tuple:
        return all(map(is_key, value))
    return isinstance(value, int | float | str | bytes | None)


def plain_tensor(value: Tensor, where: str) -> Tensor:
    """The tensor without gradient, hooks and attributes.

    Raises:
        ValueError: a tensor without memory of its own, or larger than it.
    """
    if (type(value) not in (Tensor, nn.Parameter)
            or value.layout != torch.strided or value.is_quantized
            or value.is_nested or value.is_meta):
        raise ValueError(f'{where} is not an ordinary tensor')
    needed = value.numel() * value.element_size()
    stored = value.untyped_storage().nbytes()
    if needed > stored:
        raise ValueError(
            f'{where} declares {needed} bytes, but stores {stored}')
    return value.detach()
