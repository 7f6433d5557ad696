"""Connections between processes."""
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as torch_dist
from torch import nn

from mmrvos.engine import disconnect
from mmrvos.engine.distributed import init_gloo


def gloo_threads() -> list[str]:
    names = [
        path.read_text().strip()
        for path in Path('/proc/self/task').glob('*/comm')
    ]
    return [name for name in names if 'gloo' in name]


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_no_thread_of_gloo_outlives_the_connection(monkeypatch):
    for name, value in dict(
            MASTER_ADDR='127.0.0.1', MASTER_PORT='0', RANK='0',
            WORLD_SIZE='1').items():
        monkeypatch.setenv(name, value)
    init_gloo()

    def run():
        model = nn.parallel.DistributedDataParallel(nn.Linear(2, 2))
        model.cycle = [model]
        model(torch.ones(1, 2)).sum().backward()

    run()
    assert gloo_threads()
    disconnect()
    assert not torch_dist.is_initialized()
    assert not gloo_threads()
    disconnect()  # nothing left to end
