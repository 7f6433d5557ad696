"""Run functions in processes that take turns.

Times of processes that run alternately are comparable on a machine whose load
changes.
"""
import multiprocessing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from mmrvos.command_line import USER_ERRORS


@dataclass
class Measured:
    """What one process reported.

    Args:
        ready: before its first turn.
        turns: one entry per turn.
        end: after the last turn.
    """
    ready: Any = None
    turns: list = field(default_factory=list)
    end: Any = None


def serve(connection: Connection, ready: Any, turn: Callable[[], Any],
          end: Callable[[], Any]) -> None:
    """Run one turn per request and send the results; for a worker process.

    Args:
        connection: to the process that called :func:`take_turns`.
        ready: sent at once.
        turn: called per turn; its result is sent.
        end: called after the last turn; its result is sent.
    """
    connection.send(ready)
    while connection.recv():
        connection.send(turn())
    connection.send(end())


def take_turns(workers: Mapping[str, tuple[Callable, tuple]],
               rounds: int) -> dict[str, Measured]:
    """Start one process per worker and run their turns alternately.

    Args:
        workers: {name: (function, arguments)}. A new process must be able to
            import the function, which receives a connection as an additional
            last argument and passes it to :func:`serve`.
        rounds: turns per process.

    Raises:
        OSError, KeyError, TypeError, ValueError: from a worker, as it was
            raised there.
        ChildProcessError: a process ended before its last turn.
    """
    context = multiprocessing.get_context('spawn')
    connections = {}
    for name, (function, args) in workers.items():
        connections[name], theirs = context.Pipe()
        process = context.Process(
            target=work, args=(function, args, theirs), daemon=True)
        process.start()
        theirs.close()  # recv() then fails once the process has ended
    measured = {
        name: Measured(receive(name, connection))
        for name, connection in connections.items()
    }
    for _ in range(rounds):
        for name, connection in connections.items():
            connection.send(True)
            measured[name].turns.append(receive(name, connection))
    for name, connection in connections.items():
        connection.send(False)
        measured[name].end = receive(name, connection)
    return measured


def work(function: Callable, args: tuple, connection: Connection) -> None:
    """Run a worker, and send an error that points to the user's input."""
    try:
        function(*args, connection)
    except USER_ERRORS as error:
        connection.send(error)


def receive(name: str, connection: Connection) -> Any:
    """Return what a worker sent, or raise its error."""
    try:
        received = connection.recv()
    except EOFError:
        raise ChildProcessError(
            f'{name}: its process ended early; its error is printed above'
        ) from None
    if isinstance(received, Exception):
        raise received
    return received
