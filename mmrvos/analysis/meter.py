"""How much of something (seconds, FLOPs) every part of a model takes."""
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import torch
from torch import nn

# where nn.Module.compile puts what is called instead of the forward
COMPILED = '_compiled_call_impl'
# {part: (owner below the model, what is called)}; what it lacks is left out
METHOD_PARTS = {
    'backbone': ('backbone', 'forward'),
    'levels, positions': ('', 'encode_clip'),
    'text': ('', 'encode_text'),
    'fusion': ('fusion', 'forward'),
    'encoder': ('encoder', 'forward'),
    'decoder': ('decoder', 'forward'),
    'transformer': ('transformer', 'forward'),
    'query cluster': ('cluster', 'forward'),
    'pixel decoder': ('pixel_decoder', 'forward'),
    'decoding, the rest': ('', 'decode'),
    'classes, boxes': ('head', 'forward'),
    'masks': ('head', 'masks'),
    'upsampling, RLE': ('', 'postprocessor'),
}


def clock(device: torch.device) -> Callable[[], float]:
    """Seconds, read when all that was started on the device is done."""

    def now() -> float:
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        return time.perf_counter()

    return now


class Meter:
    """What every part takes, each without the parts that it calls.

    Args:
        read: what the meter shows, a number that only grows; may be replaced
            when no part is running.
    """

    def __init__(self, read: Callable[[], float]) -> None:
        self.read = read
        self.parts: dict[str, float] = defaultdict(float)
        self.inner = [0.]  # of the parts below each running one

    def metered(self, part: str, function: Callable) -> Callable:
        """The function, watched."""

        @wraps(function)
        def watched(*args, **kwargs) -> Any:
            start = self.read()
            self.inner.append(0.)
            result = function(*args, **kwargs)
            amount = self.read() - start
            self.parts[part] += amount - self.inner.pop()
            self.inner[-1] += amount
            return result

        return watched


def watch(model: nn.Module, meter: Meter,
          parts: Mapping[str, tuple[str, str]]) -> None:
    """Put the meter around all parts that the model has, for good.

    Compile before: what the meter does shall not be compiled.

    Args:
        parts: as ``METHOD_PARTS``.
    """
    for part, (path, name) in parts.items():
        owner = find(model, path)
        if name == 'forward' and getattr(owner, COMPILED, None) is not None:
            name = COMPILED
        if hasattr(owner, name):
            setattr(owner, name, meter.metered(part, getattr(owner, name)))


def find(model: nn.Module, path: str) -> Any:
    """What a dotted path names, or None."""
    owner = model
    for name in filter(None, path.split('.')):
        owner = getattr(owner, name, None)
    return owner
