"""Work in several processes."""
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any


def map_in_processes(function: Callable,
                     items: Sequence,
                     workers: int,
                     initializer: Callable | None = None,
                     initargs: tuple = ()) -> Iterator[Any]:
    """Call a function for each item, in several processes.

    Args:
        function: of a module, so that it can be pickled.
        items: its arguments.
        workers: number of processes.
        initializer, initargs: what each process calls first.

    Yields:
        Results in the order of the items.

    Raises:
        OSError: a process was killed.
    """
    with ProcessPoolExecutor(
            workers, initializer=initializer, initargs=initargs) as pool:
        try:
            yield from pool.map(function, items)
        except BrokenProcessPool:
            raise OSError(
                f'one of {workers} processes was killed; if memory ran out, '
                'use fewer --workers') from None
