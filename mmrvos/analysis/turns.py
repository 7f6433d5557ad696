"""Processes that take turns, so that a noisy machine is fair to all."""
import multiprocessing
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import torch

GIB = 2**30


@dataclass
class Measured:
    """What a process has said.

    Args:
        ready: before its first turn.
        turns: after each of them.
        end: after the last.
    """
    ready: Any = None
    turns: list = field(default_factory=list)
    end: Any = None


def serve(line: Connection, ready: Any, turn: Callable[[], Any],
          end: Callable[[], Any]) -> None:
    """A process's side: what it does when it is its turn, and what it says.

    Args:
        line: to the process that calls.
        ready: said at once.
        turn: called whenever it is the turn of this process.
        end: called after the last.
    """
    line.send(ready)
    while line.recv():
        line.send(turn())
    line.send(end())


def take_turns(workers: Mapping[str, tuple[Callable, tuple]],
               rounds: int) -> dict[str, Measured]:
    """Start a process for each worker and call them one after the other.

    Args:
        workers: {name: (function, arguments)}; a function that can be
            imported by a new process, and that calls :func:`serve` with the
            last of its arguments, which is added here.
        rounds: turns of each.

    Raises:
        ChildProcessError: a process is gone.
    """
    context = multiprocessing.get_context('spawn')
    lines = {}
    for name, (function, args) in workers.items():
        lines[name], theirs = context.Pipe()
        process = context.Process(target=function, args=(*args, theirs))
        process.daemon = True
        process.start()
        theirs.close()  # so that the end of the process is the end here
    measured = {name: Measured(answer(name, line))
                for name, line in lines.items()}
    for _ in range(rounds):
        for name, line in lines.items():
            line.send(True)
            measured[name].turns.append(answer(name, line))
    for name, line in lines.items():
        line.send(False)
        measured[name].end = answer(name, line)
    return measured


def answer(name: str, line: Connection) -> Any:
    """What a process says next."""
    try:
        return line.recv()
    except EOFError:
        raise ChildProcessError(
            f'{name}: its process ended early, the error is above') from None


def peak_memory(device: torch.device) -> float:
    """GiB at the peak: what PyTorch had on a GPU; on a CPU the whole process,
    with Python, PyTorch and the weights."""
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated(device) / GIB
    # Linux counts in KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB


def device_name(device: torch.device) -> str:
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    return f'CPU, {torch.get_num_threads()} threads'
