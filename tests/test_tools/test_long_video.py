import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / 'tools/analysis_tools/long_video.py'


@pytest.fixture
def long_video(monkeypatch, capsys):
    """The tool, with the demo in this process: it need not start again."""

    def run_demo(command: list, **kwargs) -> None:
        monkeypatch.setattr(sys, 'argv', [str(arg) for arg in command[1:]])
        runpy.run_path(str(command[1]), run_name='__main__')

    def run(*options: str) -> list[str]:
        monkeypatch.setattr(subprocess, 'run', run_demo)
        monkeypatch.setattr(sys, 'argv', [
            str(TOOL),
            str(ROOT / 'configs/referformer/tiny_shapes.py'), '--size', '32',
            '48', *options
        ])
        runpy.run_path(str(TOOL), run_name='__main__')
        return [
            line for line in capsys.readouterr().out.splitlines()
            if 'GiB' in line
        ]

    return run


def test_a_line_for_every_length(long_video):
    short, long = long_video('--frames', '7', '5', '--window', '3',
                             '--overlap', '1', '--limit', '1000')
    assert '5 of 5 frames of 32 x 48, window 3' in short
    assert '7 of 7 frames of 32 x 48, window 3' in long


def test_above_the_limit_is_an_error(long_video):
    with pytest.raises(SystemExit, match='-1.0 allowed'):
        long_video('--frames', '1', '--limit', '-1')
