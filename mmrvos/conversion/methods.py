"""The methods whose official checkpoints can be converted."""
from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from .key_map import Report

Weights = dict[str, 'Tensor']


def converter(method: str) -> Callable[[Weights], tuple[Weights, Report]]:
    """Return a function that calls ``convert`` of the method's module."""

    def convert(state_dict: Weights) -> tuple[Weights, Report]:
        module = import_module(f'.{method}', __package__)  # imports torch
        return module.convert(state_dict)

    return convert


METHODS = {
    method: converter(method)
    for method in ('mttr', 'mutr', 'referformer', 'samwise', 'soc', 'stcn')
}
