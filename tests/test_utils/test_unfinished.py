"""Files and folders appear complete, and killed processes leave nothing."""
import multiprocessing
import os
import resource
import signal
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from mmrvos.datasets.convert import staged, write_json
from mmrvos.evaluation.metrics import SubmissionWriter
from mmrvos.evaluation.submission import save_mask
from mmrvos.utils import write_checkpoint
from mmrvos.utils.unfinished import (
    locked,
    only_process_in,
    remove_partial_files,
    replacing,
    unfinished_folder,
)

RANDOM = np.random.default_rng(0).random((400, 400))


@contextmanager
def full_disk(size: int = 2**12):
    """Let no file grow beyond a size, which fails as a full disk does."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def submission(folder) -> None:
    writer = SubmissionWriter(layout='mevis', out_dir=str(folder / 'x'))
    (folder / 'x').mkdir()
    for i in range(9):
        (folder / f'x/{i}').write_bytes(bytes(1000))
    writer.compute_metrics([[str(i) for i in range(9)]])


def replace(path) -> None:
    with replacing(path) as partial:
        partial.write_bytes(bytes(2**13))


WRITERS = {
    'x.json': lambda path: write_json(path, list(range(3000))),
    'x.pth': lambda path: write_checkpoint(path, dict(a=torch.rand(2**12))),
    'x.safetensors':
    lambda path: write_checkpoint(path, dict(a=torch.rand(2**12))),
    'x.png': lambda path: save_mask(path, RANDOM > 0.5),
    'x.zip': lambda path: submission(path.parent),
    'x.bin': replace,
}


@pytest.mark.parametrize('name', WRITERS)
def test_a_full_disk_keeps_the_earlier_file(tmp_path, name):
    path = tmp_path / name
    path.write_text('earlier')
    with full_disk(), pytest.raises(OSError, match=f'{name} cannot be wr'):
        WRITERS[name](path)
    assert path.read_text() == 'earlier'
    assert not list(tmp_path.glob('.*'))


def test_an_error_in_the_block_is_kept(tmp_path):
    path = tmp_path / 'new/x'
    with (pytest.raises(FileNotFoundError, match='no_such_file'),
          replacing(path)):
        open(tmp_path / 'no_such_file')  # noqa: SIM115
    assert not path.exists()


def test_folders_of_killed_runs_are_deleted(tmp_path):
    """Those of running processes are not."""
    for name in ('.unfinished_dead', '.unfinished_alive', 'other'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'file').touch()
    with (locked(tmp_path / '.unfinished_alive'),
          unfinished_folder(tmp_path) as folder):
        left = {p.name for p in tmp_path.iterdir()}
        assert left == {'.unfinished_alive', 'other', folder.name}
    assert {p.name for p in tmp_path.iterdir()} == {
        '.unfinished_alive', 'other'}
    (tmp_path / '.unfinished_1_x.pth').touch()
    remove_partial_files(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def hold(folder, started) -> None:
    with only_process_in(folder, '.lock', 'a training'):
        started.set()
        signal.pause()


def test_one_process_at_a_time(tmp_path):
    """The lock ends with its process, also while a child of it lives."""
    context = multiprocessing.get_context('fork')
    started = context.Event()
    process = context.Process(
        target=hold, args=(tmp_path, started), daemon=True)
    process.start()
    assert started.wait(60)
    with (pytest.raises(BlockingIOError, match=f'{tmp_path} is in use by a '),
          only_process_in(tmp_path, '.lock', 'a training')):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with only_process_in(tmp_path, '.lock', 'a training'):
        pass


def convert_killed(out, started) -> None:
    with staged(out, ['train', 'meta/train.json']) as stage:
        (stage / 'train').mkdir()
        started.set()
        signal.pause()


def test_a_killed_converter_blocks_nobody(tmp_path):
    context = multiprocessing.get_context('fork')
    started = context.Event()
    process = context.Process(
        target=convert_killed, args=(tmp_path, started), daemon=True)
    process.start()
    assert started.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert [p.name[:12] for p in tmp_path.iterdir()] == ['.unfinished_']
    names = ['train', 'meta/train.json']
    with staged(tmp_path, names) as stage:
        (stage / 'train').mkdir()
        write_json(stage / names[1], np.arange(3).tolist())
    assert {p.name for p in tmp_path.iterdir()} == {'train', 'meta'}
    with pytest.raises(FileExistsError, match='train is there already'), (
            staged(tmp_path, names)):
        pass


def test_the_faster_of_two_converters_is_kept(tmp_path):
    with pytest.raises(FileExistsError, match='train is there already'), (
            staged(tmp_path, ['train'])) as slow:
        (slow / 'train').write_text('slow')
        with staged(tmp_path, ['train']) as fast:
            (fast / 'train').write_text('fast')
    assert (tmp_path / 'train').read_text() == 'fast'
    assert [p.name for p in tmp_path.iterdir()] == ['train']
