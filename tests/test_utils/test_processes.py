import os
import signal

import pytest

from mmrvos.utils import map_in_processes


def double(number: int) -> int:
    return 2 * number


def die(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_results_are_in_order():
    assert list(map_in_processes(double, range(9), 2)) == [*range(0, 18, 2)]


def test_a_killed_process_is_an_error():
    """A multiprocessing.Pool would wait for its result for ever."""
    with pytest.raises(OSError, match='was killed.* --workers'):
        list(map_in_processes(die, range(9), 2))
