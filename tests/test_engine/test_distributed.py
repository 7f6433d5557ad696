"""Connections between processes."""
import torch.distributed as torch_dist

from mmrvos.engine import disconnect
from mmrvos.engine.distributed import init_gloo


def test_process_is_disconnected_once(monkeypatch):
    for name, value in dict(
            MASTER_ADDR='127.0.0.1', MASTER_PORT='0', RANK='0',
            WORLD_SIZE='1').items():
        monkeypatch.setenv(name, value)
    init_gloo()
    assert torch_dist.is_initialized()
    disconnect()
    assert not torch_dist.is_initialized()
    disconnect()  # nothing left to end
