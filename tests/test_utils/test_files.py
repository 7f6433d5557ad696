import os

import pytest

from mmrvos.utils import (
    check_output_file,
    check_output_folder,
    natural_key,
    visible_files,
)


def test_numbers_sort_by_value():
    names = ['f10', 'f9', '007', '7', '10', '1', 'a²', 'F2']
    assert sorted(names, key=natural_key) == [
        '1', '007', '7', '10', 'F2', 'a²', 'f9', 'f10']


def test_visible_files(tmp_path):
    for name in ('10.png', '9.PNG', '.9.png', 'x.txt', '__MACOSX/1.png',
                 'sub/1.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / 'again').symlink_to(tmp_path / 'sub')
    found = visible_files(tmp_path.rglob('*'), ('.png', ))
    assert [str(p.relative_to(tmp_path)) for p in found] == [
        '9.PNG', '10.png', 'sub/1.png']
    assert visible_files([tmp_path / 'again/1.png', tmp_path / 'sub/1.png']
                         ) == [tmp_path / 'again/1.png']
    assert tmp_path / 'x.txt' in visible_files(tmp_path.iterdir())


def test_output_paths_are_checked_and_not_created(tmp_path):
    (tmp_path / 'file').write_text('x')
    (tmp_path / 'dangling').symlink_to(tmp_path / 'nowhere')
    for name in ('file', 'file/a/b', 'dangling/a'):
        with pytest.raises(NotADirectoryError, match='is not a folder'):
            check_output_folder(tmp_path / name)
    with pytest.raises(NotADirectoryError, match='file is not a folder'):
        check_output_file(tmp_path / 'file/metrics.json')
    with pytest.raises(IsADirectoryError, match='expected the name of a file'):
        check_output_file(tmp_path)
    check_output_folder(tmp_path / 'new/deep')
    check_output_file(tmp_path / 'new/deep.json')
    check_output_file(tmp_path / 'file')
    assert not (tmp_path / 'new').exists()


def test_output_folders_that_are_read_only(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    with pytest.raises(PermissionError, match='does not allow writing'):
        check_output_folder(tmp_path / 'new')


@pytest.mark.skipif(not os.path.isdir('/proc/self'), reason='needs /proc')
def test_output_folders_that_take_no_files():
    """root may write into /proc, which takes no folders."""
    with pytest.raises(OSError, match='^/proc/new/deep cannot be created: '
                       '/proc .*; choose another path'):
        check_output_folder('/proc/new/deep')
