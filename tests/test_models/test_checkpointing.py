"""Activation checkpointing; test_methods.py checks it in every method."""
import copy
from functools import partial

import pytest
import torch
from mmdet.models.backbones.resnet import Bottleneck
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from transformers import (
    ConvNextConfig,
    ConvNextModel,
    Sam2VisionConfig,
    Sam2VisionModel,
)

from mmrvos.models.checkpointing import (
    TRANSFORMERS_BLOCKS,
    enable_checkpointing,
)


class Model(nn.Module):

    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Bottleneck(16, 4), Bottleneck(16, 4))
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        return self.blocks(x).sum()


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = Model().train()
    enable_checkpointing(model)
    enable_checkpointing(model)  # once more changes nothing
    return model


def calls_of_first_convolution(model):
    calls = []
    model.blocks[0].conv1.register_forward_hook(
        lambda *args: calls.append(args))
    return calls


def test_blocks_are_computed_again(model):
    calls = calls_of_first_convolution(model)
    loss = model(torch.randn(2, 16, 6, 6))
    assert len(calls) == 1
    loss.backward()
    assert len(calls) == 2
    # although both passes went through the batch norm
    assert model.blocks[0].norm1.num_batches_tracked == 1
    with torch.no_grad():
        model(torch.randn(2, 16, 6, 6))
    assert len(calls) == 3


def test_a_copy_has_its_own_blocks(model):
    """As the averaged model of EMAHook."""
    average = copy.deepcopy(model)
    calls, calls_of_average = map(calls_of_first_convolution,
                                  (model, average))
    average(torch.randn(2, 16, 6, 6)).backward()
    assert len(calls_of_average) == 2
    assert not calls
    assert model.blocks[0].conv1.weight.grad is None


def test_frozen_parts_get_no_gradient(model):
    model.blocks[0].requires_grad_(False)
    model(torch.randn(2, 16, 6, 6)).backward()
    assert all(p.grad is None for p in model.blocks[0].parameters())
    assert model.blocks[1].conv1.weight.grad.any()


def test_unused_parameters_in_ddp(model):
    x = torch.randn(2, 16, 6, 6)
    plain = copy.deepcopy(model)
    plain(x).backward()
    distributed.init_process_group(
        'gloo', store=distributed.HashStore(), rank=0, world_size=1)
    try:
        wrapped = DistributedDataParallel(model, find_unused_parameters=True)
        wrapped(x).backward()
    finally:
        distributed.destroy_process_group()
    torch.testing.assert_close(model.blocks[0].conv1.weight.grad,
                               plain.blocks[0].conv1.weight.grad)


@pytest.mark.parametrize('name', TRANSFORMERS_BLOCKS)
def test_transformers_has_the_blocks(name):
    with torch.device('meta'):
        model = (Sam2VisionModel(Sam2VisionConfig()) if 'Sam2' in name else
                 ConvNextModel(ConvNextConfig()))
    enable_checkpointing(model)
    assert any(
        type(module).__name__ == name and isinstance(module.forward, partial)
        for module in model.modules())
