import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / 'tools/analysis_tools/long_clip.py'


@pytest.fixture
def long_clip(monkeypatch, capsys):

    def run(method: str, *options: str) -> str:
        config = ROOT / 'configs' / method / 'tiny_shapes.py'
        monkeypatch.setattr(
            sys, 'argv',
            [str(TOOL), str(config), '--size', '32', '48', *options])
        runpy.run_path(str(TOOL), run_name='__main__')
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize('method', ['referformer', 'mttr'])
def test_one_line_with_peak_and_time(long_clip, method):
    said = long_clip(method, '--frames', '9', '--limit', '1000')
    assert '9 frames of 32 x 48' in said
    assert 'GiB' in said


def test_above_the_limit_is_an_error(long_clip):
    with pytest.raises(SystemExit, match='0.001 allowed'):
        long_clip('mttr', '--frames', '1', '--limit', '0.001')
