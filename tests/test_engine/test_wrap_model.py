"""Models of a distributed run."""
from types import SimpleNamespace

import torch
import torch.distributed as torch_dist
from torch import nn

from mmrvos.engine import RVOSRunner, disconnect
from mmrvos.engine.distributed import init_gloo


def test_models_without_training_are_not_wrapped(monkeypatch):
    for name, value in dict(
            MASTER_ADDR='127.0.0.1', MASTER_PORT='0', RANK='0',
            WORLD_SIZE='1').items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    init_gloo()
    try:
        runner = SimpleNamespace(distributed=True, cfg={})
        for model in (nn.Identity(), nn.Linear(2, 2).requires_grad_(False)):
            assert RVOSRunner.wrap_model(runner, None, model) is model
        wrapped = RVOSRunner.wrap_model(runner, None, nn.Linear(2, 2))
        assert isinstance(wrapped, nn.parallel.DistributedDataParallel)
        del wrapped
    finally:
        disconnect()
    assert not torch_dist.is_initialized()
