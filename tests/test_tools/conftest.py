from functools import partial
from pathlib import Path

import pytest

from mmrvos.moving_shapes import generate

from .running import options, run_tool, train_in_two_processes


@pytest.fixture(scope='session')
def shapes(tmp_path_factory) -> str:
    """Folder of Moving Shapes, size mini."""
    root = tmp_path_factory.mktemp('data') / 'mini'
    generate('mini', root, workers=1, progress=False)
    return str(root)


@pytest.fixture
def tool(monkeypatch):
    """Run a tool in this process."""
    return partial(run_tool, monkeypatch)


@pytest.fixture(scope='session')
def two_processes(shapes, tmp_path_factory) -> tuple[Path, str]:
    """Work dir and log of a training in two processes."""
    work_dir = tmp_path_factory.mktemp('two_processes')
    return work_dir, train_in_two_processes(work_dir, *options(shapes))
