import hashlib
import math
import os

import pytest
import torch
from torch import nn

from mmrvos.apis.stored_config import config_text
from mmrvos.downloads import local_name
from mmrvos.utils import (
    CheckpointMismatch,
    load_config,
    load_weights,
    read_checkpoint,
    write_checkpoint,
)

from ..config_values import CONFIGS
from ..file_server import file_server

TINY = CONFIGS / 'referformer/tiny_shapes.py'


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def test_loads_all_values():
    source, target = model(), model()
    load_weights(target, {f'module.{k}': v
                          for k, v in source.state_dict().items()})
    for key, value in target.state_dict().items():
        assert torch.equal(value, source.state_dict()[key])


def test_prefix_belongs_to_all_keys_or_to_none():
    weights = model().state_dict()
    weights['module.0.weight'] = weights.pop('0.weight')
    with pytest.raises(CheckpointMismatch, match='unexpected.*\n  module.0.w'):
        load_weights(model(), weights)


@pytest.mark.parametrize(('key', 'change', 'fault'), [
    ('0.weight', lambda v: v * math.nan, '6 of 6 values are not finite'),
    ('0.bias', lambda v: torch.tensor([0, math.inf]), '1 of 2 values are not'),
    ('1.running_var', lambda v: -v / 0, '2 of 2 values are not finite'),
    ('0.bias', lambda v: v.long(), 'integer in the file, floating point in'),
    ('0.bias', lambda v: v > 0, 'integer in the file, floating point in'),
    ('0.bias', lambda v: v.to(torch.complex64), 'complex in the file'),
    ('1.num_batches_tracked', lambda v: v.float(), 'floating point in the f'),
])
def test_values_that_cannot_be_weights(key, change, fault):
    target, weights = model(), model().state_dict()
    before = {k: v.clone() for k, v in target.state_dict().items()}
    weights[key] = change(weights[key])
    with pytest.raises(CheckpointMismatch,
                       match=rf'(?s)x\.pth.*{key}: {fault}'):
        load_weights(target, weights, source='x.pth')
    for key, value in target.state_dict().items():
        assert torch.equal(value, before[key])


def test_half_precision_is_loaded():
    weights = model().half().state_dict()
    target = model()
    load_weights(target, weights)
    assert torch.equal(target[0].weight, weights['0.weight'].float())


def test_constants_of_the_model_may_be_infinite():
    source, target = model(), model()
    for each in (source, target):
        each.register_buffer('mask', torch.tensor([0, -math.inf]))
    load_weights(target, source.state_dict())


@pytest.mark.parametrize('weights', [
    None, [1], {}, 'text', {1: torch.zeros(3)}, dict(weight='x'),
    dict(weight=dict(a=torch.zeros(1)))
], ids=str)
def test_what_is_no_dictionary_of_weights(weights):
    with pytest.raises(CheckpointMismatch, match=r'x\.pth: the weights'):
        load_weights(model(), weights, source='x.pth')


def test_any_difference_is_refused_and_listed():
    target = model()
    before = {k: v.clone() for k, v in target.state_dict().items()}
    weights = model().state_dict()
    weights['2.weight'] = weights.pop('1.weight')
    weights['0.weight'] = torch.zeros(4, 3)
    with pytest.raises(CheckpointMismatch) as error:
        load_weights(target, weights, source='x.pth')
    message = str(error.value)
    assert 'x.pth does not fit Sequential: 5 of 7 keys fit' in message
    assert '1 missing:\n  1.weight' in message
    assert '1 unexpected:\n  2.weight' in message
    assert '0.weight: (4, 3) in the file, (2, 3) in the model' in message
    for key, value in target.state_dict().items():
        assert torch.equal(value, before[key])


@pytest.mark.parametrize('meta, said', [
    (None, ''),
    (dict(cfg='x = 1', name=3), ''),
    (dict(name='mttr_video-swin-t_a2d'),
     " Its meta data: name 'mttr_video-swin-t_a2d'."),
    (dict(experiment_name='r50_20260101_000000',
          cfg=dict(model=dict(type='ReferFormer'))),
     " Its meta data: name 'r50_20260101_000000', model 'ReferFormer'."),
    (dict(cfg=config_text(load_config(TINY))),
     " Its meta data: model 'ReferFormer'."),
])
def test_the_origin_of_a_file_comes_first(meta, said):
    """Then some keys, then what to do."""
    weights = {f'other.{i}': torch.zeros(1) for i in range(12)}
    with pytest.raises(CheckpointMismatch) as error:
        load_weights(model(), weights, source='x.pth', meta=meta)
    lines = str(error.value).splitlines()
    # the counter of the batch norm may be missing
    assert lines[0] == (f'x.pth does not fit Sequential: 1 of 7 keys fit.'
                        f'{said}')
    at = lines.index('12 unexpected:')
    assert lines[at + 1:at + 7] == [
        '  other.0', '  other.1', '  other.10', '  other.11', '  other.2',
        '  ... and 7 more'
    ]
    assert lines[-1].startswith('Use the config it was trained with')
    assert len(lines) == 1 + 7 + 7 + 1


def test_dropped_keys_keep_the_models_values():
    source, target = model(), model()
    bias = target.state_dict()['0.bias'].clone()
    weights = source.state_dict() | {'0.bias': torch.zeros(9)}
    load_weights(target, weights, drop=[r'^0\.bias'])
    assert torch.equal(target[0].bias, bias)
    assert torch.equal(target[0].weight, source[0].weight)
    with pytest.raises(CheckpointMismatch, match='matches no key'):
        load_weights(target, weights, drop=['head'])


class Command:

    def __reduce__(self):
        return os.system, ('touch was_run',)


def test_pickled_code_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(state_dict={}, extra=Command()), 'evil.pth')
    with pytest.raises(ValueError, match='evil.pth.*asks for posix.system'):
        read_checkpoint('evil.pth')
    assert not (tmp_path / 'was_run').exists()


def test_unreadable_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.pth is missing'):
        read_checkpoint(tmp_path / 'none.pth')
    path = tmp_path / 'whole.pth'
    torch.save(model().state_dict(), path)
    assert set(read_checkpoint(path)['state_dict']) == set(
        model().state_dict())
    (tmp_path / 'cut.pth').write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match='cut.pth cannot be read'):
        read_checkpoint(tmp_path / 'cut.pth')
    torch.save([1], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match='holds a list'):
        read_checkpoint(tmp_path / 'list.pth')


def test_downloads_are_cached_and_checked(tmp_path, monkeypatch):
    monkeypatch.setenv('MMRVOS_HOME', str(tmp_path / 'home'))
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    path = tmp_path / 'x.pth'
    torch.save(dict(a=torch.ones(2)), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    names = [f'net-{digest}.pth', 'net-00000000.pth']
    with file_server() as server:
        server.files.update(dict.fromkeys(names, path.read_bytes()))
        url = f'{server.url}/good/{names[0]}?x=1'
        for _ in range(2):
            assert read_checkpoint(url)['state_dict']['a'].tolist() == [1, 1]
        assert len(server.requests) == 1
        with pytest.raises(OSError, match=f'SHA-256 is {digest}'):
            read_checkpoint(f'{server.url}/good/{names[1]}')
    # no code from a cached file either
    evil = f'hub/checkpoints/{local_name("https://a.org/evil.pth")}'
    torch.save(dict(extra=Command()), tmp_path / evil)
    with pytest.raises(ValueError, match='evil.pth.*asks for posix.system'):
        read_checkpoint('https://a.org/evil.pth')


def test_addresses_that_end_in_one_name(tmp_path, monkeypatch):
    monkeypatch.setenv('MMRVOS_HOME', str(tmp_path / 'home'))
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    with file_server() as server:
        for value in (1., 2.):
            torch.save(dict(a=torch.tensor(value)), tmp_path / 'x.pth')
            name = f'{value}/model.pth'
            server.files[name] = (tmp_path / 'x.pth').read_bytes()
            found = read_checkpoint(f'{server.url}/good/{name}')
            assert found['state_dict']['a'] == value


@pytest.mark.parametrize('content', [
    b'this is a text file\n', b'Models:\n  - Name: x\n', b'h\0.', b'',
    b'PK\x03\x04', b'\x80\x02.', b'{"a": 1}', b'\x89HDF\r\n\x1a\n'
], ids=str)
def test_files_that_are_no_checkpoint(tmp_path, content):
    path = tmp_path / 'notes.pth'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'notes\.pth cannot be read as a'):
        read_checkpoint(path)


def test_formats_are_those_of_the_names(tmp_path):
    weights = dict(a=torch.ones(2))
    for written, named, found in (
        ('.pth', '.safetensors', 'torch.save: rename it to end in .pth'),
        ('.safetensors', '.pth', 'safetensors: rename it to end in .safet')):
        path = tmp_path / f'x{written}'
        write_checkpoint(path, weights)
        path = path.rename(tmp_path / f'y{named}')
        with pytest.raises(ValueError, match=f'it is a file of {found}'):
            read_checkpoint(path)


@pytest.mark.parametrize(('content', 'reason'), [
    (b'hello there', 'it is a text file'),
    (b'', 'it is empty'),
    (b'\x02\0\0\0\0\0\0\0{}    ', 'not fully covered'),
    (b'\x0d\0\0\0\0\0\0\0{"a":1,"a":2}', "key 'a' occurs 2 times"),
    (b'\xff\xff\xff\xff\0\0\0\0{"a":1}', 'it begins with'),
])
def test_files_that_are_no_safetensors(tmp_path, content, reason):
    path = tmp_path / 'x.safetensors'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason) as error:
        read_checkpoint(path)
    assert 'expected a file of safetensors' in str(error.value)
    assert 'torch' not in str(error.value)


@pytest.mark.parametrize(('content', 'reason'), [
    (b'hello there', 'it is a text file'),
    (b'version https://git-lfs.github.com/spec/v1', 'Git LFS'),
    (b'', 'it is empty'),
    (b'\x89HDF\r\n\x1a\n', 'it begins with'),
])
def test_kind_of_a_file_that_is_no_checkpoint(tmp_path, content, reason):
    path = tmp_path / 'notes.pth'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read_checkpoint(path)
