"""The benchmark's two implementations agree, and ours is the faster one."""
import sys
from time import process_time

import numpy as np
import pytest

from .conftest import load_tool

tool = load_tool('benchmark_eval')
TASKS = [('plain_task', 'our_evaluation'), ('plain_functions',
                                            'our_functions')]


@pytest.mark.parametrize('plain, ours', TASKS)
def test_same_numbers_sooner(tmp_path, plain, ours):
    tool.make_sequence(tmp_path, 'sequence', 2, num_frames=4)
    runs = [getattr(tool, name)(tmp_path) for name in (plain, ours)]
    results, seconds = [], []
    for run in runs:
        run()  # imports and caches
        start = process_time()
        results.append(run())
        seconds.append(process_time() - start)
    np.testing.assert_allclose(*results, rtol=0, atol=1e-12)
    assert 0 < results[0][0] < 1 and 0 < results[0][1] < 1
    assert seconds[0] > 2 * seconds[1], seconds


def test_a_process_of_its_own(tmp_path, monkeypatch):
    # the process that is started imports the tool by its name
    monkeypatch.setitem(sys.modules, 'benchmark_eval', tool)
    monkeypatch.syspath_prepend(tool.__file__.rpartition('/')[0])
    tool.make_sequence(tmp_path, 'sequence', 1, num_frames=2)
    seconds, peak, numbers = tool.measure(tool.plain_functions, tmp_path)
    assert 0 < seconds < 60 and 0 < peak < 2
    assert numbers == tool.plain_functions(tmp_path)()


def test_different_numbers_are_an_error(capsys):
    tool.compare('same', (2, 1, (0.5, 0.5)), (1, 1, (0.5, 0.5)))
    assert '2.0 x' in capsys.readouterr().out
    with pytest.raises(SystemExit, match='differ'):
        tool.compare('other', (2, 1, (0.5, 0.5)), (1, 1, (0.5, 0.6)))
