"""Names from files stay in their folder; special files are refused."""
import os
import socket

import pytest

from mmrvos.utils import check_distinct, check_file, check_name, safe_join


@pytest.mark.parametrize('name', [
    '00000', 'video.with.dots', '..hidden', 'a b', 'TAO/ArgoVerse/0c0d',
    'düne', '-abc_9'
])
def test_ordinary_names_are_kept(tmp_path, name):
    assert check_name(name, 'video id', 'x.json') == name
    assert safe_join(tmp_path, name, 'video id', 'x.json') == tmp_path / name


@pytest.mark.parametrize(('name', 'reason'), [
    ('', 'empty'),
    ('..', "'..'"),
    ('../a', "'..'"),
    ('a/../../b', "'..'"),
    ('./a', r"'\.'"),
    ('a//b', "part ''"),
    ('a/', "part ''"),
    ('/etc/passwd', 'absolute'),
    ('C:/a', 'absolute'),
    ('c:a', 'absolute'),
    ('..\\a', 'backslash'),
    ('a\\b', 'backslash'),
    ('a\0b', 'control'),
    ('a\nb', 'control'),
    ('a\ud800', 'control'),
    ('é' * 128, '255 bytes'),
    (7, 'int'),
    (None, 'NoneType'),
    (['a'], 'list'),
])
def test_other_names_are_refused(name, reason):
    with pytest.raises(ValueError, match=rf'x\.json: video id .*{reason}'):
        check_name(name, 'video id', 'x.json')


def test_long_names_are_cut_in_messages():
    with pytest.raises(ValueError, match='longer than 255') as error:
        check_name('a' * 5000, 'video id', 'x.json')
    assert len(str(error.value)) < 300


def test_links_out_are_followed_for_reading_only(tmp_path):
    inside, outside = tmp_path / 'root', tmp_path / 'outside'
    inside.mkdir()
    outside.mkdir()
    (inside / 'link').symlink_to(outside)
    (inside / 'own').mkdir()
    (inside / 'near').symlink_to(inside / 'own')
    assert safe_join(inside, 'link/a', 'name', 'x').parent.samefile(outside)
    with pytest.raises(ValueError, match='link'):
        safe_join(inside, 'link/a', 'name', 'x', writing=True)
    safe_join(inside, 'near/a', 'name', 'x', writing=True)
    (inside / 'file.png').symlink_to(outside / 'file.png')
    with pytest.raises(ValueError, match='link'):
        safe_join(inside, 'file.png', 'name', 'x', writing=True)


@pytest.mark.parametrize('names', [('a', 'a'), ('Dog', 'dog'),
                                   ('\u00e9', 'e\u0301')])
def test_names_of_one_path_are_refused(names):
    with pytest.raises(ValueError, match=r'x\.csv: videos .* same path'):
        check_distinct(list(names), 'video', 'x.csv')
    check_distinct(['a', 'b', 'a/b'], 'video', 'x.csv')


def test_special_and_large_files_are_refused(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'12345')
    assert check_file(path, 5) == path
    with pytest.raises(ValueError, match='file has 5 bytes, more than the 4'):
        check_file(path, 4)
    with pytest.raises(FileNotFoundError, match='none is missing'):
        check_file(tmp_path / 'none')
    with pytest.raises(FileNotFoundError, match='below is missing'):
        check_file(path / 'below')
    (tmp_path / 'link').symlink_to('nowhere')
    with pytest.raises(FileNotFoundError, match='is a link to nowhere, which'):
        check_file(tmp_path / 'link')
    with pytest.raises(ValueError, match='is a folder'):
        check_file(tmp_path)
    os.mkfifo(tmp_path / 'pipe')
    with pytest.raises(ValueError, match='pipe is a named pipe'):
        check_file(tmp_path / 'pipe')
    with pytest.raises(ValueError, match='is a device'):
        check_file('/dev/zero')
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / 's'))
        with pytest.raises(ValueError, match='is a socket'):
            check_file(tmp_path / 's')
