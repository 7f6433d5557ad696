from pathlib import Path

import pytest

from mmrvos.utils import find_checkpoint, home_folder


def test_home_folder(monkeypatch):
    monkeypatch.setenv('MMRVOS_HOME', '~/weights')
    assert home_folder() == Path.home() / 'weights'
    for unset in ('', None):
        if unset is None:
            monkeypatch.delenv('MMRVOS_HOME')
        else:
            monkeypatch.setenv('MMRVOS_HOME', unset)
        assert home_folder() == Path.home() / '.cache/mmrvos'


def test_checkpoint_is_found_here_then_at_home(tmp_path, monkeypatch):
    here, home = tmp_path / 'here', tmp_path / 'home'
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv('MMRVOS_HOME', str(home))
    name = 'checkpoints/soc_video-swin-t_joint.pth'
    assert find_checkpoint(name) == Path(name)
    for folder, found in ((home, home / name), (here, Path(name))):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
        assert find_checkpoint(name) == found
    absolute = tmp_path / 'missing.pth'
    assert find_checkpoint(str(absolute)) == absolute


@pytest.mark.parametrize('folder', ['checkpoints', '.'])
def test_a_folder_is_no_checkpoint(folder, tmp_path, monkeypatch):
    monkeypatch.setenv('MMRVOS_HOME', str(tmp_path))
    (tmp_path / 'checkpoints').mkdir()
    assert find_checkpoint(folder) == Path(folder)
