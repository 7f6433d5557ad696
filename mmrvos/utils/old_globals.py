"""Inert substitutes for the Python objects in older checkpoints.

MMEngine stores the log history of a training as ``HistoryBuffer`` objects,
which are pickled with numpy arrays and with ``getattr``. Official checkpoints
store their command line as ``argparse.Namespace``. A file that may name
``getattr`` or ``numpy.ndarray`` can run code or forge memory. Here each of
these names stands for a class or function of this file, which only keeps
checked values. The real objects are never reached.
"""
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

#: numpy's codes of the numbers that a log history may hold
NUMBERS = frozenset(
    ('b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8'))


class StandIn:
    """An object of an older checkpoint; :meth:`plain` is its value."""

    def plain(self) -> Any:
        raise NotImplementedError


class DType(StandIn):
    """``numpy.dtype``, for numbers in the byte order of this machine."""

    def __init__(self, code: str, align: bool = False,
                 copy: bool = False) -> None:
        if code not in NUMBERS:
            raise ValueError(f'an array of type {code!r}')
        self.code = code

    def __setstate__(self, state: tuple) -> None:
        if state[1] not in ('<', '|', '='):
            raise ValueError(f'an array of byte order {state[1]!r}')

    def decode(self, raw: bytes, count: int) -> np.ndarray:
        """Copy ``count`` numbers out of exactly as many bytes."""
        dtype = np.dtype(self.code)
        if type(raw) is not bytes or len(raw) != count * dtype.itemsize:
            raise ValueError('an array whose size is not that of its data')
        return np.frombuffer(raw, dtype).copy()

    def plain(self) -> str:
        return self.code


class Array(StandIn):
    """``numpy.ndarray``; becomes a tensor."""

    def __init__(self) -> None:
        self.value: Tensor | None = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, raw = state
        if type(dtype) is not DType or not all(
                type(n) is int and n >= 0 for n in shape):
            raise ValueError(f'an array of shape {shape!r}')
        flat = dtype.decode(raw, math.prod(shape))
        array = flat.reshape(shape, order='F' if fortran else 'C')
        self.value = torch.from_numpy(np.ascontiguousarray(array))

    def plain(self) -> Tensor:
        if self.value is None:
            raise ValueError('an array without values')
        return self.value


class Fields(StandIn):
    """An object of named fields, such as ``argparse.Namespace``."""

    fields: dict | None = None  # a file has no state of an empty object

    def __setstate__(self, state: dict) -> None:
        if type(state) is not dict:
            raise ValueError('an object whose state is no dictionary')
        self.fields = state

    def plain(self) -> dict:
        return self.fields or {}


class History(Fields):
    """MMEngine's ``HistoryBuffer``, in the form of ``pack``."""

    def plain(self) -> dict:
        return dict(
            log_history=self.fields['_log_history'],
            count_history=self.fields['_count_history'],
            max_length=self.fields['max_length'])


def empty_array(kind: Any, shape: Any, code: Any) -> Array:
    """``numpy.core.multiarray._reconstruct``: its state follows later."""
    return Array()


def scalar(dtype: DType, raw: bytes) -> bool | int | float:
    """``numpy.core.multiarray.scalar`` as a Python number."""
    return dtype.decode(raw, 1)[0].item()


def method_name(owner: Any, name: str) -> str:
    """``getattr``: pickle's way to name the methods of a HistoryBuffer."""
    return name


#: (substitute, name in the file), as torch.serialization.safe_globals takes
OLD_GLOBALS: list[tuple[Callable, str]] = [
    (History, 'mmengine.logging.history_buffer.HistoryBuffer'),
    (Fields, 'argparse.Namespace'),
    (DType, 'numpy.dtype'),
    (Array, 'numpy.ndarray'),
    (method_name, 'builtins.getattr'),
    *((substitute, f'numpy.{core}.multiarray.{name}')
      for core in ('core', '_core')
      for substitute, name in ((empty_array, '_reconstruct'),
                               (scalar, 'scalar'))),
]
