"""Keys of the official STCN; its numbers are golden cases."""
from pathlib import Path

import pytest
import torch

from mmrvos.conversion import METHODS
from mmrvos.models.propagators import STCN

from ..golden_kinds.case import load_case

CASE = Path(__file__).parents[1] / 'data/golden/stcn_s0.npz'


@pytest.fixture(scope='module')
def official() -> dict[str, torch.Tensor]:
    """Shapes alone, with the counters that the published file has."""
    weights = {
        key: torch.empty(shape, device='meta')
        for key, shape in load_case(CASE).state_shapes.items()
    }
    counters = [key.replace('running_mean', 'num_batches_tracked')
                for key in weights if key.endswith('running_mean')]
    return weights | {key: torch.empty((), device='meta') for key in counters}


def shapes(weights: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in weights.items()}


def test_every_key_of_the_published_file_is_used(official):
    assert len(official) == 405
    weights, report = METHODS['stcn'](official)
    assert shapes(weights) == shapes(STCN().state_dict())
    # 13 convolutions and 2 shortcuts of the value encoder have a bias
    assert len(report.dropped) == 15
    assert all('bias' in key for key in report.dropped)


def test_biases_of_the_value_encoder_move_into_the_norms(official):
    zeros = {key: torch.zeros_like(value, device='cpu')
             for key, value in official.items() if 'value_encoder' in key}
    zeros['value_encoder.layer2.0.downsample.0.bias'] += 3
    zeros['value_encoder.layer2.0.conv2.bias'] += 5
    weights, _ = METHODS['stcn'](official | zeros)
    moved = {
        key: value.unique().tolist()
        for key, value in weights.items()
        if value.device.type == 'cpu' and value.any()
    }
    assert moved == {
        'value_encoder.layer2.0.downsample.1.running_mean': [-3],
        'value_encoder.layer2.0.bn2.running_mean': [-5]
    }


def test_a_bias_without_its_norm_is_damage(official):
    name = 'value_encoder.layer1.0.bn1.running_mean'
    broken = {key: value for key, value in official.items() if key != name}
    with pytest.raises(ValueError, match=f'{name} is missing'):
        METHODS['stcn'](broken)
