"""Pretrained weights of init_cfg: read safely and loaded strictly."""
import os

import pytest
import torch
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader
from torch import nn

from mmrvos.utils import CheckpointMismatch
from mmrvos.utils.pretrained import strict_init


class Command:

    def __reduce__(self):
        return os.mkdir, ('was_run', )


class Backbone(BaseModule):

    def __init__(self, init_cfg: dict | list) -> None:
        super().__init__(init_cfg)
        self.conv = nn.Conv2d(2, 2, 1)


class Own(Backbone):
    """mmdet's Swin reads its file in this way."""

    def init_weights(self) -> None:
        content = CheckpointLoader.load_checkpoint(self.init_cfg['checkpoint'])
        self.load_state_dict(content.get('model', content), strict=False)


def initialise(kind: type, path, **cfg) -> nn.Module:
    model = nn.Sequential(kind(dict(type='Pretrained', checkpoint=str(path),
                                    **cfg)))
    with strict_init(model):
        model[0].init_weights()
    return model[0]


@pytest.mark.parametrize('kind', [Backbone, Own])
def test_no_code_from_pretrained_files(tmp_path, monkeypatch, kind):
    """MMEngine reads such a file again, with weights_only=False."""
    monkeypatch.chdir(tmp_path)
    weights = kind([]).state_dict()
    torch.save(dict(weights, extra=Command()), 'evil.pth')
    with pytest.raises(ValueError, match=r'evil\.pth.*mkdir'):
        kind(dict(type='Pretrained', checkpoint='evil.pth')).init_weights()
    assert not (tmp_path / 'was_run').exists()


@pytest.mark.parametrize('kind', [Backbone, Own])
def test_every_weight_must_be_there(tmp_path, kind):
    weights = {
        'conv.weight': torch.ones(2, 2, 1, 1),
        'conv.bias': torch.zeros(2),
        'fc.weight': torch.zeros(9)
    }
    path = tmp_path / 'weights.pth'
    torch.save(weights, path)
    assert initialise(kind, path).conv.weight.eq(1).all()
    del weights['conv.bias']
    torch.save(weights, path)
    with pytest.raises(CheckpointMismatch, match=r'(?s)weights\.pth.*bias'):
        initialise(kind, path)


def test_other_files_and_shapes(tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save({'conv.weight': torch.ones(3, 2, 1, 1),
                'conv.bias': torch.zeros(2)}, path)
    with pytest.raises(CheckpointMismatch, match=r'\(3, 2, 1, 1\) in the f'):
        initialise(Backbone, path)
    torch.save({'layers.0.weight': torch.ones(3)}, path)
    with pytest.raises(CheckpointMismatch, match='0 of 2 keys fit'):
        initialise(Backbone, path)
    torch.save({f'backbone.{k}': v
                for k, v in Backbone([]).state_dict().items()}, path)
    initialise(Backbone, path, prefix='backbone')


@pytest.mark.parametrize('address', [
    'torchvision://resnet50', 's3://a/b', 'open-mmlab://x', 'pavi://x',
    'mmcls://x', 'petrel:s3://a/b'
])
def test_other_addresses_are_refused(address):
    with pytest.raises(ValueError, match=f'{address}: this kind of address'):
        CheckpointLoader.load_checkpoint(address)


@pytest.mark.parametrize('kind', [Backbone, Own])
@pytest.mark.parametrize('value', ['nan', 'inf'])
def test_values_must_be_finite(tmp_path, kind, value):
    weights = {
        'conv.weight': torch.ones(2, 2, 1, 1),
        'conv.bias': torch.tensor([0, float(value)])
    }
    torch.save(weights, tmp_path / 'x.pth')
    with pytest.raises(CheckpointMismatch, match=r'x\.pth has(.|\n)*bias'):
        initialise(kind, tmp_path / 'x.pth')
