"""The state of a training as plain data, and back."""
import enum
from collections import Counter, OrderedDict, deque
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from torch import nn

from mmrvos.utils import pack, unpack_history
from mmrvos.utils.plain_data import plain_data


class Level(enum.IntEnum):
    LOW = 1


@pytest.mark.parametrize(('value', 'expected'), [
    (OrderedDict(a=ConfigDict(b=1)), dict(a=dict(b=1))),
    (deque([1, (2, {3})]), [1, (2, {3})]),
    (Counter(a=2), Counter(a=2)),
    (Level.LOW, 1),
    ({np.int64(3): np.float32(0.5), (1, 2): np.bool_(True)},
     {3: 0.5, (1, 2): True}),
    (np.array(['a', 'b']), ['a', 'b']),
    (Path('a/b'), 'a/b'),
    (dict(type=nn.Linear, init=plain_data),
     dict(type='torch.nn.modules.linear.Linear',
          init='mmrvos.utils.plain_data.plain_data')),
    (dict(a=object(), b=[object(), 1]), dict(b=[1])),
], ids=[
    'dict', 'deque', 'counter', 'enum', 'numpy', 'texts', 'path', 'types',
    'objects'
])
def test_packed_values_are_read_without_a_list(tmp_path, value, expected):
    packed = pack(dict(value=value))
    assert packed == dict(value=expected)
    torch.save(packed, tmp_path / 'x.pth')
    loaded = torch.load(tmp_path / 'x.pth', weights_only=True)
    assert plain_data(loaded) == packed
    assert type(plain_data(loaded)['value']) is type(expected)


def test_arrays_become_tensors():
    array = np.arange(6.).reshape(2, 3)[:, ::-1]
    assert pack(array).tolist() == array.tolist()


def test_log_history_comes_back():
    history = HistoryBuffer(max_length=7)
    for i in range(5):
        history.update(i / 2, i + 1)
    found = unpack_history(pack(history))
    np.testing.assert_array_equal(found.data, history.data)
    assert found.max_length == 7
    found.update(1., 1)
    history.update(1., 1)
    assert found.mean() == history.mean()


def test_tensors_come_without_attributes():
    """A file can attach hooks and attributes to a tensor."""
    value = nn.Parameter(torch.ones(2))
    value.note = 'x'
    value.register_hook(print)
    found = plain_data([value, value])
    assert type(found[0]) is torch.Tensor and found[0] is found[1]
    assert not found[0].requires_grad and not hasattr(found[0], 'note')
    assert found[0].data_ptr() == value.data_ptr()
