"""Files that are made to run code or to damage the process are refused.

Pickles are written by hand, so that no class of this file is involved.
"""
import argparse
import io
import os
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mmrvos.utils import read_checkpoint

WEIGHT = b'X\x06\x00\x00\x00weight'
#: an array of numbers as MMEngine's older checkpoints have it
DTYPE = b'cnumpy\ndtype\n(X\x02\x00\x00\x00f8\x89\x88tR'
STATE = b'(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb'
EMPTY = (b'cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85'
         b'X\x01\x00\x00\x00btR')


def text(value: str) -> bytes:
    raw = value.encode()
    return b'X' + struct.pack('<I', len(raw)) + raw


def raw_bytes(value: bytes) -> bytes:
    """Bytes as protocol 2 has them."""
    return (b'c_codecs\nencode\n(' + text(value.decode('latin1')) +
            text('latin1') + b'tR')


def array(shape: bytes, raw: bytes, dtype: bytes = DTYPE + STATE) -> bytes:
    return EMPTY + b'(K\x01' + shape + dtype + b'\x89' + raw_bytes(raw) + b'tb'


def tensor(size: bytes = b'K\x04\x85', stride: bytes = b'K\x01\x85',
           offset: bytes = b'K\x00', count: bytes = b'K\x04',
           key: bytes = b'X\x01\x00\x00\x000') -> bytes:
    """A float32 tensor over the record data/0 of 16 bytes."""
    return (b'ctorch._utils\n_rebuild_tensor_v2\n((' + text('storage') +
            b'ctorch\nFloatStorage\n' + key + text('cpu') + count + b'tQ' +
            offset + size + stride + b'\x89ccollections\nOrderedDict\n)RtR')


def write_zip(path: Path, value: bytes, more: dict | None = None,
              compression: int = zipfile.ZIP_STORED) -> Path:
    """A file of torch.save whose dictionary has 'weight' and this value."""
    content = b'\x80\x02}(' + WEIGHT + tensor() + text('extra') + value + b'u.'
    with zipfile.ZipFile(path, 'w', compression) as archive:
        archive.writestr('a/data.pkl', content)
        archive.writestr('a/byteorder', 'little')
        archive.writestr('a/data/0', bytes(16))
        archive.writestr('a/version', '3\n')
        for name, member in (more or {}).items():
            archive.writestr(f'a/{name}', member)
    return path


def refused(path: Path, match: str = '') -> None:
    with pytest.raises(ValueError, match=rf'{path.name} cannot.*{match}'):
        read_checkpoint(path)


def touch(marker: Path) -> bytes:
    """Arguments of os.system."""
    return b'(' + text(f'touch {marker}') + b't'


CALLS: dict[str, Callable[[Path], bytes]] = {
    'reduce': lambda m: b'cposix\nsystem\n' + touch(m) + b'R',
    'stack global': lambda m: text('posix') + text('system') + b'\x93' +
    touch(m) + b'R',
    'inst': lambda m: b'(' + text(f'touch {m}') + b'iposix\nsystem\n',
    'obj': lambda m: b'(cposix\nsystem\n' + text(f'touch {m}') + b'o',
    'newobj': lambda m: b'cposix\nsystem\n' + touch(m) + b'\x81',
    'extension': lambda m: b'\x82\x01',
    'getattr': lambda m: b'c__builtin__\ngetattr\n(cposix\n\n' + text('system')
    + b'tR' + touch(m) + b'R',
    'getattr of an allowed function': lambda m:
    b'c__builtin__\ngetattr\n(ctorch._utils\n_rebuild_tensor_v2\n' +
    text('__globals__') + b'tR' + touch(m) + b'R',
    'rebuild from type': lambda m: b'ctorch._tensor\n_rebuild_from_type_v2\n('
    b'cposix\nsystem\nctorch\nTensor\n' + touch(m) + b'}tR',
    'build': lambda m: b'cposix\nsystem\n}b',
    'dotted name': lambda m: b'cargparse\nNamespace.__init__.__globals__\n',
    'eval': lambda m: b'c__builtin__\neval\n(' +
    text(f'open({str(m)!r}, "w")') + b'tR',
    'slice': lambda m: b'c__builtin__\nslice\n(K\x01tR',
    'persistent id': lambda m: b'(' + text('module') + b'cposix\nsystem\ntQ',
}


@pytest.mark.parametrize('call', CALLS.values(), ids=CALLS)
def test_calls(tmp_path, call):
    marker = tmp_path / 'marker'
    refused(write_zip(tmp_path / 'crafted.pth', call(marker)))
    assert not marker.exists()


ONE = bytes(8)
FORGED = {
    'called': b'cnumpy\nndarray\n(K\x01\x85' + DTYPE + b'tR',
    'objects': array(b'K\x01\x85', ONE, b'cnumpy\ndtype\n(X\x02\x00\x00\x00O8'
                     b'\x89\x88tR'),
    'structure': array(b'K\x01\x85', ONE, b'cnumpy\ndtype\n(' +
                       text('f4,O8') + b'\x89\x88tR'),
    'shape': array(b'J\xff\xff\xff\x7f\x85', ONE),
    'negative shape': array(b'J\xff\xff\xff\xff\x85', ONE),
    'many axes': array(b'(' + b'J\xff\xff\xff\x7f' * 40 + b't', ONE),
    'text as shape': array(text('ab'), ONE),
    'type without its code': array(b'K\x01\x85', ONE,
                                   b'cnumpy\ndtype\n)\x81'),
    'byte order': array(b'K\x01\x85', ONE, DTYPE + STATE.replace(b'<', b'>')),
    'no values': EMPTY,
    'state of another kind': EMPTY + b'}b',
    'too short state': EMPTY + b'(K\x01tb',
    'scalar of other size': b'cnumpy._core.multiarray\nscalar\n(' + DTYPE +
    STATE + raw_bytes(b'abc') + b'tR',
    'history without values': b'cmmengine.logging.history_buffer\n'
    b'HistoryBuffer\n)\x81}b',
    'history without state': b'cmmengine.logging.history_buffer\n'
    b'HistoryBuffer\n)\x81',
    'namespace of a list': b'cargparse\nNamespace\n)\x81](K\x01eb',
}


@pytest.mark.parametrize('value', FORGED.values(), ids=FORGED)
def test_forged_arrays(tmp_path, value):
    refused(write_zip(tmp_path / 'forged.pth', value))


def test_real_arrays_are_read(tmp_path):
    raw = np.arange(6.).tobytes()
    path = write_zip(tmp_path / 'old.pth', array(b'K\x02K\x03\x86', raw))
    value = read_checkpoint(path)['state_dict']['extra']
    assert value.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_an_empty_namespace_is_read(tmp_path):
    path = tmp_path / 'official.pth'
    torch.save(dict(extra=argparse.Namespace()), path)
    assert read_checkpoint(path)['state_dict']['extra'] == {}


LARGE = b'J\x00\x00\x00\x40'
TENSORS = {
    'more elements than stored': tensor(LARGE + b'\x85', count=LARGE),
    'more elements than the storage': tensor(LARGE + b'\x85'),
    'stride 0': tensor(LARGE + b'\x85', b'K\x00\x85'),
    'negative stride': tensor(b'K\x04\x85', b'J\xff\xff\xff\xff\x85'),
    'negative offset': tensor(offset=b'J\xff\xff\xff\xff'),
    'offset behind the end': tensor(offset=b'K\x09'),
    'another record': tensor(key=text('../../../etc/passwd')),
    'meta': b'ctorch._utils\n_rebuild_meta_tensor_no_storage\n('
    b'ctorch\nfloat32\n' + LARGE + b'\x85K\x01\x85\x89tR',
    'wrapper': b'ctorch._utils\n_rebuild_wrapper_subclass\n(ctorch\nTensor\n'
    b'ctorch\nfloat32\nK\x04\x85K\x01\x85K\x00ctorch.serialization\n'
    b'_get_layout\n(' + text('torch.strided') + b'tR' + text('cpu') +
    b'\x89tR',
    'storage': b'ctorch.storage\nUntypedStorage\n(K\x04tR',
    'function': b'ctorch._utils\n_rebuild_tensor_v2\n',
    'bytearray': b'c__builtin__\nbytearray\n(K\x04tR',
    'key that is a tensor': b'}(' + tensor() + b'K\x01u',
}


@pytest.mark.parametrize('value', TENSORS.values(), ids=TENSORS)
def test_impossible_tensors(tmp_path, value):
    refused(write_zip(tmp_path / 'odd.pth', value))


def test_deep_and_circular_data(tmp_path):
    refused(write_zip(tmp_path / 'deep.pth', b']' * 99 + b'a' * 98), 'deep')
    refused(write_zip(tmp_path / 'deeper.pth', b']' * 99999 + b'a' * 99998))
    refused(write_zip(tmp_path / 'circle.pth', b']q\x07h\x07a'), 'deep')
    # every list holds the last one twice: 2**60 paths to its end
    shared = b'](]q\x00' + b''.join(
        b'](h' + bytes([i]) + b'h' + bytes([i]) + b'eq' + bytes([i + 1])
        for i in range(60)) + b'e'
    read_checkpoint(write_zip(tmp_path / 'shared.pth', shared))


def test_archives(tmp_path):
    path = tmp_path / 'twice.pth'
    with pytest.warns(UserWarning, match='Duplicate'):
        write_zip(path, b'N', {'data.pkl': b'N.'})
    refused(path, 'two entries')
    refused(
        write_zip(tmp_path / 'bomb.pth', b'N', {'data/1': bytes(2**24)},
                  zipfile.ZIP_DEFLATED), 'declares')
    refused(
        write_zip(tmp_path / 'swapped.pth', b'N', {'constants.pkl': b'N.'}))
    path = tmp_path / 'script.pth'
    torch.jit.script(nn.Identity()).save(str(path))
    refused(path)


def test_older_formats_of_torch(tmp_path):
    weights = dict(weight=torch.arange(4.))
    path = tmp_path / 'legacy.pth'
    torch.save(weights, path, _use_new_zipfile_serialization=False)
    found = read_checkpoint(path)['state_dict']['weight']
    assert found.tolist() == [0, 1, 2, 3]

    marker = tmp_path / 'marker'
    header = [pickle.dumps(v, 2) for v in (0x1950a86a20f9469cfc6c, 1001, {})]
    for i in range(4):  # the magic number, two more parts, the content
        crafted = tmp_path / f'crafted{i}.pth'
        crafted.write_bytes(b''.join(header[:i]) + b'\x80\x02cposix\nsystem\n'
                            + touch(marker) + b'R.')
        refused(crafted)
    # 4 GB of storage that the file does not list
    crafted = tmp_path / 'huge.pth'
    crafted.write_bytes(
        b''.join(header) + b'\x80\x02}' + WEIGHT +
        tensor(LARGE + b'\x85', count=LARGE).replace(b'tQ', b'NtQ') +
        b's.\x80\x02].')
    refused(crafted, 'declares')

    crafted = tmp_path / 'tar.pth'
    with tarfile.open(crafted, 'w') as archive:
        for name in ('storages', 'tensors', 'pickle'):
            content = b'\x80\x02cposix\nsystem\n' + touch(marker) + b'R.'
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    refused(crafted)
    assert not marker.exists()


def test_lists_of_other_libraries_do_not_count(tmp_path):
    """MMEngine allows getattr in the whole process while it reads."""
    marker = tmp_path / 'marker'
    path = write_zip(tmp_path / 'crafted.pth', CALLS['reduce'](marker))
    path2 = write_zip(tmp_path / 'slice.pth', CALLS['slice'](marker))
    with torch.serialization.safe_globals([getattr, os.system, slice]):
        refused(path)
        refused(path2)
        assert getattr in torch.serialization.get_safe_globals()
    assert not marker.exists()


def test_special_files(tmp_path):
    os.mkfifo(tmp_path / 'pipe.pth')
    with pytest.raises(ValueError, match=r'pipe\.pth is a named pipe'):
        read_checkpoint(tmp_path / 'pipe.pth')
    with pytest.raises(ValueError, match='is a folder'):
        read_checkpoint(tmp_path)
