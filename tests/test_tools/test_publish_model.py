import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmrvos.apis import RVOSInferencer
from mmrvos.utils import read_checkpoint

from ..file_server import file_server
from .running import run

PUBLISH = 'model_converters/publish_model.py'
SHIPPED = 'demo/referformer_tiny_shapes.pth'
CONFIG = 'configs/referformer/tiny_shapes.py'
ROOT = Path(__file__).parents[2]


def test_keeps_weights_alone(tmp_path, tool):
    source, target = tmp_path / 'epoch_1.pth', tmp_path / 'out/model.pth'
    torch.save(
        dict(
            state_dict={'w': torch.ones(2)},
            ema_state_dict={'module.w': torch.zeros(2)},
            optimizer=dict(state={}),
            meta=dict(epoch=1, experiment_name='r50_1')), source)
    tool(PUBLISH, str(source), str(target))
    checkpoint = read_checkpoint(target)
    assert list(checkpoint) == ['state_dict', 'meta']
    assert list(checkpoint['meta']) == ['mmrvos', 'experiment_name']
    assert checkpoint['state_dict']['w'].tolist() == [1, 1]


@pytest.mark.parametrize('suffix', ['pth', 'safetensors'])
def test_a_published_file_needs_no_config(tmp_path, tool, monkeypatch,
                                          suffix):
    """The training's config, results and hash; read from a server."""
    weights = read_checkpoint(ROOT / SHIPPED)['state_dict']
    cfg = Config.fromfile(ROOT / CONFIG)
    source = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=weights, meta=dict(cfg=cfg.to_dict())), source)
    scores = tmp_path / 'scores.json'
    scores.write_text('{"metrics": {"shapes/J&F": 57.2}}')
    tool(PUBLISH, str(source), str(tmp_path / f'model.{suffix}'), '--hash',
         '--results', str(scores))
    file, = tmp_path.glob('model*')
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.name == f'model-{digest[:8]}.{suffix}'
    assert file.stat().st_size < source.stat().st_size + 20_000
    assert read_checkpoint(file)['meta']['results'] == [
        json.loads(scores.read_text())]
    video = np.random.default_rng(0).integers(0, 255, (2, 64, 112, 3),
                                              np.uint8)
    expected = RVOSInferencer(
        str(ROOT / CONFIG), str(ROOT / SHIPPED), device='cpu',
        show_progress=False)(video, 'the red circle')[0]
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    with file_server() as server:
        server.files[file.name] = file.read_bytes()
        inferencer = RVOSInferencer(
            weights=f'{server.url}/good/{file.name}', device='cpu',
            show_progress=False)
    result, = inferencer(video, 'the red circle')
    assert (result.score, result.rles) == (expected.score, expected.rles)


def test_a_config_that_the_checkpoint_lacks(tmp_path, tool):
    tool(PUBLISH, str(ROOT / SHIPPED), str(tmp_path / 'model.safetensors'),
         '--config', CONFIG)
    text = read_checkpoint(tmp_path / 'model.safetensors')['meta']['cfg']
    assert re.match(r"model = dict\(", text)


def test_broken_safetensors_are_one_line(tmp_path):
    path = tmp_path / 'x.safetensors'
    path.write_bytes(b'\x08\0\0\0\0\0\0\0{"a": 1}')
    with pytest.raises(ValueError, match='x.safetensors cannot be read as a'):
        read_checkpoint(path)


@pytest.mark.parametrize('target', [
    'epoch_1.pth', 'missing/../epoch_1.pth', 'link.pth', 'folder',
    'epoch_1.pth/x.pth', 'dangling.pth'
])
def test_nothing_is_replaced(tmp_path, tool, target):
    source = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict={'w': torch.ones(2)}, epoch=1), source)
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'link.pth').symlink_to(source)
    (tmp_path / 'dangling.pth').symlink_to(source / 'x')
    before = source.read_bytes(), sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit, match='exists|is a folder|cannot be'):
        tool(PUBLISH, str(source),
             str(tmp_path / target))
    assert (source.read_bytes(), sorted(tmp_path.iterdir())) == before


def test_diverged_weights_are_not_published(tmp_path, tool):
    source, target = tmp_path / 'epoch_1.pth', tmp_path / 'model.pth'
    torch.save({'w': torch.tensor([1., torch.nan])}, source)
    with pytest.raises(SystemExit, match='(?s)not finite.*w: 1 of 2'):
        tool(PUBLISH, str(source), str(target))
    assert not target.exists()


def test_half_precision_in_a_process_of_its_own(tmp_path):
    """Types of mmdet are known although nothing has imported mmdet."""
    # the shipped weights are in half precision: these are not
    weights = {
        name: value.float() * 1.0001 if value.is_floating_point() else value
        for name, value in read_checkpoint(ROOT
                                           / SHIPPED)['state_dict'].items()
    }
    cfg = Config.fromfile(ROOT / CONFIG)
    source, target = tmp_path / 'epoch_1.pth', tmp_path / 'model.pth'
    torch.save(dict(state_dict=weights, meta=dict(cfg=cfg.to_dict())), source)
    run(sys.executable, f'tools/{PUBLISH}', str(source), str(target), '--half')
    half = read_checkpoint(target)['state_dict']
    for name, value in weights.items():
        if value.is_floating_point():
            assert torch.equal(half[name], value.half())
        else:
            assert torch.equal(half[name], value)
    assert target.stat().st_size < 0.6 * source.stat().st_size
