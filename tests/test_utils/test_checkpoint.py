import os

import pytest
import torch
from torch import nn

from mmrvos.utils import CheckpointMismatch, load_weights, read_checkpoint


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def test_loads_all_values():
    source, target = model(), model()
    load_weights(target, {f'module.{k}': v
                          for k, v in source.state_dict().items()})
    for key, value in target.state_dict().items():
        assert torch.equal(value, source.state_dict()[key])


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
