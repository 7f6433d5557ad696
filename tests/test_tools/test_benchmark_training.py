import multiprocessing
import os
import runpy
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / 'tools/analysis_tools/benchmark_training.py'


class Threads:
    """Stands in for processes, which would each import everything anew."""
    Pipe = staticmethod(multiprocessing.Pipe)

    @staticmethod
    def Process(target, args):
        *args, line = args
        line = Connection(os.dup(line.fileno()))  # the caller closes its own

        def run() -> None:
            with line:  # an error closes it, as the end of a process does
                target(*args, line)

        return threading.Thread(target=run)


@pytest.fixture
def benchmark(monkeypatch, capsys):

    def run(*configs: str) -> list[list[str]]:
        monkeypatch.setattr(multiprocessing, 'get_context',
                            lambda method: Threads)
        monkeypatch.setattr(sys, 'argv', [
            str(TOOL), *configs, '--size', '40', '64', '--frames', '2',
            '--warmup', '0', '--iters', '1'
        ])
        runpy.run_path(str(TOOL), run_name='__main__')
        return [line.split() for line in capsys.readouterr().out.splitlines()
                if line.startswith(str(ROOT))]

    return run


def test_every_config_gets_a_row(benchmark):
    configs = [str(ROOT / 'configs' / method / 'tiny_shapes.py')
               for method in ('referformer', 'html', 'ifirvos', 'soc', 'mttr',
                              'mlrl')]
    rows = benchmark(*configs)
    assert [row[0] for row in rows] == configs
    assert rows[0][5] == rows[0][7] == '1.00'
    # the same parameters, and a time of its own
    assert rows[0][1] == rows[1][1]
    assert all(float(row[2]) > 0 and float(row[6]) > 0 for row in rows)


def test_a_missing_config_is_one_line(benchmark):
    with pytest.raises(SystemExit, match='no_such_file.py is missing'):
        benchmark('configs/referformer/no_such_file.py')
