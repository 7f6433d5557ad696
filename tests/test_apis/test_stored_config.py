"""Configs out of checkpoints are values, and their types are registered."""
import numpy as np
import pytest
import torch

from mmrvos.apis import RVOSInferencer
from mmrvos.apis.stored_config import parse_literals, stored_config
from mmrvos.utils import load_config, pack, read_checkpoint

CONFIG = 'configs/referformer/tiny_shapes.py'


@pytest.fixture(scope='module')
def config(request):
    return load_config(request.config.rootpath / CONFIG)


def stored(cfg) -> dict:
    return stored_config(dict(meta=dict(cfg=cfg)), 'epoch_1.pth')


def test_values_of_new_and_older_checkpoints(config):
    new, old = stored(config.to_dict()), stored(config.pretty_text)
    assert new == old
    assert set(new) == {'model', 'test_dataloader', 'visualizer'}
    assert new.model == config.model


def test_inferencer_from_a_checkpoint_alone(config, request, tmp_path):
    demo = request.config.rootpath / 'demo/referformer_tiny_shapes.pth'
    weights = read_checkpoint(demo)['state_dict']
    path = tmp_path / 'epoch_1.pth'
    torch.save(
        dict(state_dict=weights, meta=dict(cfg=pack(config.to_dict()))), path)
    inferencer = RVOSInferencer(weights=str(path), device='cpu')
    own = inferencer.model.state_dict()
    assert all(torch.equal(own[key], value) for key, value in weights.items())
    frames = np.zeros((2, 64, 96, 3), np.uint8)
    assert len(inferencer(frames, ['the red circle'])[0].rles) == 2


@pytest.mark.parametrize('text', [
    'import os',
    'open("x", "w")',
    'model = __import__("os").system("true")',
    'model = dict(type=open("x"))',
    'model = dict(**dict(a=1))',
    'model = dict([(1, 2)])',
    'model = dict({}, {})',
    'model = dict({**{}})',
    'model = {**{}}',
    'model = [x for x in (1, )]',
    'model = "a" + "b"',
    'model = f"{1}"',
    'model = 10 ** 10',
    'model, other = 1, 2',
    'model.type = 1',
    'model: dict = {}',
    'def model(): pass',
    'model = lambda: 1',
    'model = (1 if 1 else 2)',
    'model = dict(',
    'model = ' + '-' * 100000 + '1',
    'model = ' + '1+' * 100000 + '1',
    'model = ' + '(' * 1000 + ')' * 1000,
    'model = "' + 'x' * 2**20 + '"',
    'model = "\0"',
], ids=lambda text: text[:24])
def test_programs_are_refused(text):
    with pytest.raises(ValueError, match=r'epoch_1\.pth.*pass the config'):
        stored(text)


def test_literals():
    assert parse_literals(
        "a = dict(b=[1, -2.5, (True, None)], c={'d': 'e', 1: set()})\n"
        "f = dict({'g h': 1}, i=2)") == dict(
            a=dict(b=[1, -2.5, (True, None)], c={
                'd': 'e',
                1: set()
            }),
            f={
                'g h': 1,
                'i': 2
            })


@pytest.mark.parametrize('kind', [
    'os.system', 'subprocess.run', 'builtins.exec', 'antigravity',
    'mmdet.KnowledgeDistillationSingleStageDetector', 'mmrvos.models.MTTR',
    'torch.nn.Linear', 'this.that', '', 7, None,
    ['ReferFormer']
])
@pytest.mark.parametrize('place', ['model', 'deep', 'pipeline'])
def test_types_must_be_registered(config, kind, place):
    """MMEngine would import and call anything with a dot in its name."""
    cfg = config.to_dict()
    if place == 'model':
        cfg['model'] = dict(type=kind, args=['true'])
    elif place == 'deep':
        cfg['model']['backbone']['norm_cfg'] = [dict(a=dict(type=kind))]
    else:
        cfg['test_dataloader']['dataset']['pipeline'].append(dict(type=kind))
    with pytest.raises(ValueError, match='not registered'):
        stored(cfg)


def test_scopes_are_refused(config):
    """MMEngine would import the package that _scope_ names."""
    cfg = config.to_dict()
    cfg['model']['backbone']['_scope_'] = 'antigravity'
    with pytest.raises(ValueError, match='_scope_'):
        stored(cfg)


@pytest.mark.parametrize('cfg', [
    None, 7, [], {}, dict(model={}), dict(model={}, test_dataloader=3),
    dict(model='x', test_dataloader={})
])
def test_configs_without_their_parts(cfg):
    with pytest.raises(ValueError, match=r'epoch_1\.pth'):
        stored(cfg)
    for checkpoint in ({}, dict(meta=None), dict(meta=[])):
        with pytest.raises(ValueError, match='holds no config'):
            stored_config(checkpoint, 'x.pth')
