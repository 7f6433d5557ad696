import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from mmrvos.engine import GroupedOptimWrapperConstructor


def optim_wrapper(model, constructor, **options):
    init_default_scope('mmrvos')
    return build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            constructor=constructor,
            optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.05),
            paramwise_cfg=dict(
                norm_decay_mult=0.,
                custom_keys=dict(
                    backbone=dict(lr_mult=0.1, betas=[0.9, 0.98]))) | options))


class Model(nn.Module):

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 2)
        self.frozen = nn.Linear(2, 2).requires_grad_(False)

    def forward(self, x):
        return self.head(self.norm(self.backbone(x)))


@pytest.mark.parametrize('name', [
    'GroupedOptimWrapperConstructor',
    'mmrvos.GroupedOptimWrapperConstructor',
])
def test_parameters_alike_share_a_group(name):
    model = Model()
    groups = optim_wrapper(model, name).optimizer.param_groups
    members = [(group['lr'], group['weight_decay'], len(group['params']))
               for group in groups]
    assert members == [
        (pytest.approx(0.01), 0.05, 4),  # backbone, its norm too
        (0.1, 0., 2),  # the norm
        (0.1, 0.05, 2),  # the head
    ]
    assert groups[1]['params'][0] is model.norm.weight
    assert [group['betas'][1] for group in groups] == [0.98, 0.999, 0.999]


def test_shared_parameters():
    model = Model()
    model.twin = nn.Sequential(model.head)
    name = 'GroupedOptimWrapperConstructor'
    with pytest.raises(ValueError, match='bypass_duplicate'):
        optim_wrapper(model, name)
    groups = optim_wrapper(model, name, bypass_duplicate=True).param_groups
    assert len({id(p) for g in groups for p in g['params']}) == sum(
        len(g['params']) for g in groups)


def test_steps_as_with_a_group_for_each_parameter():
    torch.manual_seed(0)
    single = Model()
    grouped = copy.deepcopy(single)
    data = torch.rand(5, 8, 4)
    wrappers = [
        optim_wrapper(single, 'DefaultOptimWrapperConstructor'),
        optim_wrapper(grouped, GroupedOptimWrapperConstructor.__name__),
    ]
    before = single.head.weight.clone()
    for batch in data:
        for model, wrapper in zip((single, grouped), wrappers, strict=True):
            wrapper.update_params(model(batch).square().mean())
    assert len(wrappers[0].optimizer.param_groups) == 8
    assert not torch.allclose(single.head.weight, before, atol=0.05)
    for name, parameter in single.named_parameters():
        torch.testing.assert_close(
            grouped.get_parameter(name), parameter, msg=name)


@pytest.mark.parametrize(('custom_keys', 'message'), [
    (dict(bakbone=dict(lr_mult=0.1)), "'bakbone'.*did you mean 'backbone'"),
    (dict(backbone=dict(lr_mul=0.1)), "'lr_mul'; did you mean 'lr_mult'"),
])
def test_custom_keys_without_effect_are_refused(custom_keys, message):
    with pytest.raises(ValueError, match=message):
        optim_wrapper(
            Model(),
            'GroupedOptimWrapperConstructor',
            custom_keys=custom_keys)
