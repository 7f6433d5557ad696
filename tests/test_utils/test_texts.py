import os

import pytest

from mmrvos.utils import load_json, parse_json, read_lines


@pytest.mark.parametrize('encoding', [
    'utf-8', 'utf-8-sig', 'utf-16', 'utf-32', 'utf-16-le'
])
def test_json_of_any_encoding(tmp_path, encoding):
    path = tmp_path / 'x.json'
    path.write_bytes('{"caf\u00e9": 1,\r\n"b": [2]}'.encode(encoding))
    assert load_json(path) == {'caf\u00e9': 1, 'b': [2]}


@pytest.mark.parametrize('text', [
    '{"videos": {"a": 1, "b": 2, "a": 3}}',
    '[{"a": {}, "a": {}}]',
    '{"b": 0, "a": 1, "\\u0061": 1}',
])
def test_repeated_keys_are_refused(tmp_path, text):
    with pytest.raises(ValueError, match="the key 'a' occurs 2 times"):
        parse_json(text)
    path = tmp_path / 'x.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=r"x\.json is no valid .*'a' occurs"):
        load_json(path)
    assert parse_json('[{"a": 1}, {"a": {"a": 2}}]') == [
        dict(a=1), dict(a=dict(a=2))
    ]


@pytest.mark.parametrize('encoding', [
    'utf-8', 'utf-8-sig', 'utf-16', 'utf-32'
])
def test_lines_of_any_encoding(tmp_path, encoding):
    path = tmp_path / 'x.txt'
    path.write_bytes('na\u00efve\r\nb'.encode(encoding))
    assert read_lines(path) == ['na\u00efve', 'b']


def test_lines_without_a_mark(tmp_path):
    path = tmp_path / 'x.txt'
    path.write_bytes('na\u00efve'.encode('latin-1'))
    assert read_lines(path, 'latin-1') == ['na\u00efve']
    with pytest.raises(ValueError, match='x.txt is not in utf-8'):
        read_lines(path)
    # the mark counts more than the usual encoding
    path.write_bytes('na\u00efve'.encode('utf-8-sig'))
    assert read_lines(path, 'latin-1') == ['na\u00efve']
    path.write_bytes(b'\xff\xfea')
    with pytest.raises(ValueError, match='x.txt is not in utf-16'):
        read_lines(path)


@pytest.mark.parametrize('read', [load_json, read_lines])
def test_only_ordinary_files(tmp_path, read):
    os.mkfifo(tmp_path / 'pipe')
    for path, kind in ((tmp_path / 'pipe', 'named pipe'), (tmp_path, 'folder'),
                       ('/dev/zero', 'device')):
        with pytest.raises(ValueError, match=kind):
            read(path)
