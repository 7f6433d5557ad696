from mmrvos.utils import natural_key, visible_files


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
