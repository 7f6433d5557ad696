"""Record what the submodules of a model return."""
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def recorded(model: nn.Module, *names: str) -> Iterator[SimpleNamespace]:
    """Record the outputs of submodules, one attribute per submodule.

    A submodule may process a clip in several calls, a few frames each. Their
    outputs are concatenated along the first axis, so that the recorded maps
    hold all frames. The attributes exist after the context.

    Args:
        model: owner of the submodules.
        names: attribute names of the submodules.
    """
    calls: dict[str, list] = {name: [] for name in names}
    handles = [
        getattr(model, name).register_forward_hook(
            lambda module, inputs, output, name=name: calls[name].append(
                output)) for name in names
    ]
    outputs = SimpleNamespace()
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
    for name, parts in calls.items():
        setattr(outputs, name, join(parts))


def join(parts: Sequence[Any]) -> Any:
    """Concatenate tensors, or sequences of tensors, of several calls.

    Raises:
        TypeError: several calls returned something else.
    """
    if len(parts) == 1:
        return parts[0]
    if all(isinstance(part, Tensor) for part in parts):
        return torch.cat(list(parts))
    if all(isinstance(part, (list, tuple)) for part in parts):
        return [join(level) for level in zip(*parts, strict=True)]
    raise TypeError(f'{len(parts)} calls returned {type(parts[0]).__name__}, '
                    'expected tensors or sequences of tensors')
