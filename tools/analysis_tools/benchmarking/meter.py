"""Measure time, FLOPs and memory of a model and of its parts."""
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import numpy as np
import torch
from torch import nn

from mmrvos.apis.arguments import check_device
from mmrvos.models import BaseRVOSSegmentor

GIB = 2**30
# attribute that nn.Module.compile sets and that then replaces ``forward``
COMPILED = '_compiled_call_impl'
# Part, dotted path of the owner below the model, and method, of the steps of
# any segmentor. Its class declares the modules.
STEPS = (
    ('other encode_clip', '', 'encode_clip'),
    ('other encode_text', '', 'encode_text'),
    ('other decode', '', 'decode'),
    ('masks', 'head', 'masks'),
    ('upsampling, RLE', '', 'postprocessor'),
)
# What a propagator lacks is skipped.
PROPAGATION_PARTS = (
    ('propagation: keys', 'propagator.network', 'encode_key'),
    ('propagation: values', 'propagator.network', 'encode_value'),
    ('propagation: mask decoder', 'propagator.network', 'decode'),
    ('propagation: vision encoder', 'propagator.network.vision_encoder',
     'forward'),
    ('propagation: memory, other', '', 'propagator'),
)


def clock(device: torch.device) -> Callable[[], float]:
    """Return a function that waits for the device and reads a clock in
    seconds."""

    def now() -> float:
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        return time.perf_counter()

    return now


def clocks(device: torch.device) -> Callable[[], np.ndarray]:
    """Return a function that reads (wall time, processor time) in seconds;
    the latter adds up all threads."""
    now = clock(device)
    return lambda: np.array([now(), time.process_time()])


def product_rate(device: torch.device) -> float:
    """Measure the FLOP/s of a large matrix product.

    On a CPU these are FLOPs per second of processor time, hence of a thread,
    and hardly depend on other load. Call it in the precision of the model.
    """
    on_cpu = device.type == 'cpu'
    size = 1024 if on_cpu else 8192
    matrix = torch.ones(size, size, device=device)
    read, seconds = clocks(device), []
    for _ in range(5):
        start = read()
        matrix @ matrix
        seconds.append((read() - start)[int(on_cpu)])
    return 2 * size**3 / min(seconds)


class Meter:
    """Add up what each part consumes, without the parts that it calls.

    Args:
        read: returns a number that never decreases, such as seconds or FLOPs,
            or an array of such numbers. It may be replaced while no part is
            running.
    """

    def __init__(self, read: Callable[[], float]) -> None:
        self.read = read
        self.parts: dict[str, float] = defaultdict(float)
        # amounts of the parts called so far by each running part; the first
        # entry belongs to the caller of the outermost part
        self.inner = [0.]

    def metered(self, part: str, function: Callable) -> Callable:
        """Wrap a function so that its calls count for a part."""

        @wraps(function)
        def wrapper(*args, **kwargs) -> Any:
            start = self.read()
            self.inner.append(0.)
            result = function(*args, **kwargs)
            amount = self.read() - start
            self.parts[part] += amount - self.inner.pop()
            self.inner[-1] += amount
            return result

        return wrapper


def model_parts(model: BaseRVOSSegmentor) -> list[tuple[str, str, str]]:
    """List all that is measured in a segmentor: the modules and methods that
    its class declares, the steps, and its propagator."""
    declared = []
    for part in model.parts:
        for path, found in part.modules(model):
            owner, name = path, 'forward'
            if not isinstance(found, nn.Module):
                owner, _, name = path.rpartition('.')
            declared.append((part.path, owner, name))
    return [*declared, *STEPS, *PROPAGATION_PARTS]


def watch(model: nn.Module, meter: Meter,
          parts: Iterable[tuple[str, str, str]]) -> None:
    """Wrap the parts of a model permanently.

    Call it after ``compile_parts``: compiled code must not contain the meter.

    Args:
        parts: as ``STEPS``; several entries may belong to one part.
    """
    for part, path, name in parts:
        owner = find(model, path)
        if name == 'forward' and getattr(owner, COMPILED, None) is not None:
            name = COMPILED
        if getattr(owner, name, None) is not None:
            setattr(owner, name, meter.metered(part, getattr(owner, name)))


def find(model: nn.Module, path: str) -> Any:
    """Return the object at a dotted path, or None."""
    owner = model
    for name in filter(None, path.split('.')):
        owner = getattr(owner, name, None)
    return owner


def peak_memory(device: torch.device) -> float:
    """Return the peak memory in GiB: PyTorch's allocations on a GPU, the
    whole process with Python, PyTorch and the weights on a CPU."""
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated(device) / GIB
    return resident_peak(resource.RUSAGE_SELF)


def resident_peak(who: int) -> float:
    """Return the peak resident memory in GiB.

    Args:
        who: ``resource.RUSAGE_SELF`` or ``resource.RUSAGE_CHILDREN``.
    """
    # Linux counts in KiB
    return resource.getrusage(who).ru_maxrss * 1024 / GIB


def check_limit(peak: float, limit: float | None) -> None:
    """Exit with status 1 if a peak is above the limit; both in GiB."""
    if limit is not None and peak > limit:
        sys.exit(f'the peak is {peak:.2f} GiB, above --limit {limit}')


def device_of(name: str | None) -> torch.device:
    """Return the device of --device; by default a GPU if there is one.

    Raises:
        ValueError: the device cannot be used.
    """
    if name is not None:
        check_device(name)
    return torch.device(
        name or ('cuda' if torch.cuda.is_available() else 'cpu'))


def device_name(device: torch.device) -> str:
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    return f'CPU, {torch.get_num_threads()} threads'
