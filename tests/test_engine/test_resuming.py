import os

import pytest
import torch

from mmrvos.engine import latest_checkpoint


@pytest.fixture
def work_dir(tmp_path):
    for epoch in (1, 2):
        path = tmp_path / f'epoch_{epoch}.pth'
        torch.save({}, path)
        os.utime(path, (epoch, epoch))
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_2.pth'))
    return tmp_path


def test_latest_checkpoint(work_dir):
    assert latest_checkpoint(work_dir) == str(work_dir / 'epoch_2.pth')


@pytest.mark.parametrize('content', ['epoch_9.pth', '', None])
def test_work_dir_whose_pointer_is_wrong(work_dir, content):
    """The newest file is named."""
    pointer = work_dir / 'last_checkpoint'
    pointer.unlink()
    if content is not None:
        pointer.write_text(content)
    with pytest.raises(FileNotFoundError, match='--resume .*epoch_2.pth'):
        latest_checkpoint(work_dir)


def test_empty_work_dir(tmp_path):
    with pytest.raises(FileNotFoundError, match='leave out --resume'):
        latest_checkpoint(tmp_path / 'mistyped')
