"""Whole runs of tools/train.py and tools/test.py."""
import errno
import json
import multiprocessing
import os
import re
import shlex
import signal
from pathlib import Path

import pytest
import torch
from mmengine.fileio import LocalBackend

from mmrvos.utils import read_checkpoint
from mmrvos.utils.unfinished import only_process_in

from ..colour_segmentor import ColourSegmentor, colour_checkpoint
from .running import (
    CONFIG,
    EPOCH_ITERS,
    LAST,
    POWER_CUT,
    options,
    run,
    run_tool,
    train_in_two_processes,
)


def test_evaluation_is_the_same_in_two_processes(shapes, tmp_path, tool):
    checkpoint = colour_checkpoint(tmp_path, threshold=120)
    metrics, shown = [], []
    for name in ('one', 'two'):
        folder, out = tmp_path / name, tmp_path / f'{name}.json'
        args = [
            '--work-dir', str(folder), '--out', str(out), '--show-dir',
            str(folder / 'show'), *options(shapes)
        ]
        if name == 'one':
            tool('test.py', CONFIG, checkpoint, *args)
        else:
            run('bash', 'tools/dist_test.sh', CONFIG, checkpoint, '2', *args)
        written = json.loads(out.read_text())
        metrics.append(written['metrics'])
        assert written['seed'] == 0
        assert shlex.split(written['command'])[2:4] == [CONFIG, checkpoint]
        shown.append(sorted(p.name for p in (folder / 'show').iterdir()))
    assert metrics[0] == metrics[1]
    assert 0 < metrics[0]['ytvos/J&F'] < 100
    assert shown[0] == shown[1]
    assert sorted(Path(s).suffix for s in shown[0]) == 3 * ['.mp4'
                                                            ] + 3 * ['.png']


def test_a_model_without_sides_gains_nothing_from_mirrored_clips(
        shapes, tmp_path, tool):
    """ColourSegmentor commutes with mirroring, so the metrics are equal."""
    checkpoint = colour_checkpoint(tmp_path, threshold=120)
    metrics = []
    for name, tta in (('plain', []), ('mirrored', ['--tta'])):
        show = ['--show-dir', str(tmp_path / 'show')] if tta else []
        tool('test.py', CONFIG, checkpoint, *tta, *show, '--work-dir',
             str(tmp_path), '--out', str(tmp_path / f'{name}.json'),
             *options(shapes, 'test_dataloader.dataset.indices=1'))
        written = json.loads((tmp_path / f'{name}.json').read_text())
        metrics.append(written['metrics'])
    assert len(list((tmp_path / 'show').glob('*.png'))) == 1
    assert metrics[0] == metrics[1]
    assert 0 < metrics[0]['ytvos/J&F'] < 100


def test_precision_and_compilation_reach_the_model(shapes, tmp_path, tool,
                                                   monkeypatch):
    compiled = []
    monkeypatch.setattr(
        ColourSegmentor,
        'compile_parts',
        lambda model: compiled.append(model.test_cfg),
        raising=False)
    checkpoint = colour_checkpoint(tmp_path)
    args = ['--work-dir', str(tmp_path), *options(shapes)]
    tool('test.py', CONFIG, checkpoint, '--amp', '--compile', *args)
    tool('test.py', CONFIG, checkpoint, '--amp', 'fp16', '--compile', *args)
    assert compiled == [dict(amp='bf16'), dict(amp='fp16')]


def test_training_in_mixed_precision_and_compiled(tool, monkeypatch):
    done = []

    class Runner:
        """Notes what it was given and asked for."""

        @classmethod
        def from_cfg(cls, cfg):
            done.append((cfg.optim_wrapper.get('type'),
                         cfg.optim_wrapper.get('dtype')))
            return cls()

        @property
        def model(self):
            return self

        def compile_parts(self):
            done.append('compiled')

        def train(self):
            done.append('trained')

    monkeypatch.setattr('mmrvos.engine.RVOSRunner', Runner)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    in_config = ['--cfg-options', 'optim_wrapper.type=AmpOptimWrapper']
    for args in (['--amp'], in_config):
        with pytest.raises(SystemExit, match='needs a GPU'):
            tool('train.py', CONFIG, *args)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    for args in ([], ['--amp'], ['--amp', 'bf16', '--compile']):
        tool('train.py', CONFIG, *args)
    assert done == [
        (None, None), 'trained',
        ('AmpOptimWrapper', 'float16'), 'trained',
        ('AmpOptimWrapper', 'bfloat16'), 'compiled', 'trained'
    ]


def test_training_in_two_processes(two_processes):
    work_dir, log = two_processes
    assert re.search(r'^ytvos +J&F +J +F\ntotal +[\d. ]+$', log, re.M)
    checkpoint = read_checkpoint(work_dir / LAST)
    # each process took half of the batches
    assert checkpoint['meta']['iter'] == 4 * EPOCH_ITERS // 2
    # two processes, twice the clips in a step, twice the learning rate
    group, = checkpoint['optimizer']['param_groups']
    assert group['initial_lr'] == pytest.approx(0.2)


@pytest.fixture(scope='module')
def uninterrupted(shapes, tmp_path_factory) -> dict:
    """The last checkpoint of a training in one process."""
    work_dir = tmp_path_factory.mktemp('uninterrupted')
    with pytest.MonkeyPatch.context() as monkeypatch:
        run_tool(monkeypatch, 'train.py', CONFIG, '--work-dir', str(work_dir),
                 *options(shapes))
    return read_checkpoint(work_dir / LAST)


def assert_same_training(resumed: dict, whole: dict) -> None:
    """The weights, the optimizer's state and the learning rate are equal."""
    assert resumed['meta']['iter'] == whole['meta']['iter']
    assert torch.equal(*(end['state_dict']['threshold']
                         for end in (resumed, whole)))
    assert str(resumed['optimizer']) == str(whole['optimizer'])


@pytest.mark.parametrize('epoch', [1, 2, 3],
                         ids=['category', 'dense', 'whole'])
def test_resumed_training_equals_an_uninterrupted_one(shapes, tmp_path, tool,
                                                      uninterrupted, epoch):
    """Clips and dropout are drawn as if the training had not been cut."""
    args = [CONFIG, '--work-dir', str(tmp_path)]
    with pytest.raises(RuntimeError, match='power cut'):
        tool('train.py', *args,
             *options(shapes, f'{POWER_CUT}{epoch * EPOCH_ITERS + 3}'))
    assert not (tmp_path / f'epoch_{epoch + 1}.pth').exists()
    tool('train.py', *args, '--resume', *options(shapes))
    assert_same_training(read_checkpoint(tmp_path / LAST), uninterrupted)


def test_resumed_training_with_workers_is_exact(shapes, tmp_path, tool):
    """Workers draw the clips, from the seed of the epoch."""
    workers = 'train_dataloader.num_workers=2'
    for name in ('whole', 'cut'):
        args = ['train.py', CONFIG, '--work-dir', str(tmp_path / name)]
        if name == 'cut':
            with pytest.raises(RuntimeError, match='power cut'):
                tool(*args, *options(shapes, workers,
                                     f'{POWER_CUT}{2 * EPOCH_ITERS + 3}'))
            args.append('--resume')
        tool(*args, *options(shapes, workers))
    assert_same_training(
        read_checkpoint(tmp_path / 'cut' / LAST),
        read_checkpoint(tmp_path / 'whole' / LAST))


def test_killed_training_resumes_in_two_processes(shapes, tmp_path,
                                                  two_processes):
    train_in_two_processes(
        tmp_path,
        *options(shapes, f'{POWER_CUT}{EPOCH_ITERS // 2 + 2}',
                 'custom_hooks.0.kill=True'),
        code=-signal.SIGKILL)
    assert not (tmp_path / 'epoch_2.pth').exists()
    train_in_two_processes(tmp_path, '--resume', *options(shapes))
    assert_same_training(
        read_checkpoint(tmp_path / LAST),
        read_checkpoint(two_processes[0] / LAST))


def test_resuming_with_another_number_of_steps(shapes, tmp_path, tool,
                                               uninterrupted):
    """Twice the batch until the cut, so half the steps per epoch."""
    args = [CONFIG, '--work-dir', str(tmp_path)]
    with pytest.raises(RuntimeError, match='power cut'):
        tool('train.py', *args,
             *options(shapes, f'{POWER_CUT}{EPOCH_ITERS + 1}',
                      'train_dataloader.batch_size=4'))
    cut = read_checkpoint(tmp_path / 'epoch_2.pth')
    assert cut['meta']['iter'] == EPOCH_ITERS
    tool('train.py', *args, '--resume', *options(shapes))
    end = read_checkpoint(tmp_path / LAST)
    assert end['meta']['iter'] == uninterrupted['meta']['iter']
    for key in ('lr', 'initial_lr'):
        ends = [e['optimizer']['param_groups'][0][key]
                for e in (end, uninterrupted)]
        assert ends[0] == pytest.approx(ends[1])


def test_diverged_training_keeps_the_last_checkpoint(shapes, tmp_path, tool):
    """One checkpoint is kept, and the weights become infinite in the last
    step of the second epoch."""
    with pytest.raises(SystemExit) as stop:
        tool('train.py', CONFIG, '--work-dir', str(tmp_path),
             *options(shapes, 'default_hooks.checkpoint.max_keep_ckpts=1',
                      f'custom_hooks.0.after={2 * EPOCH_ITERS}',
                      'custom_hooks.0.diverge=True'))
    message = str(stop.value.code)
    assert f'iteration {2 * EPOCH_ITERS} (epoch 2)' in message
    assert 'epoch_1.pth' in message
    assert [path.name for path in tmp_path.glob('*.pth')] == ['epoch_1.pth']
    assert read_checkpoint(
        tmp_path / 'epoch_1.pth')['state_dict']['threshold'].isfinite().all()


def test_two_trainings_do_not_share_a_folder(shapes, tmp_path, tool):
    """The second one ends at once; that of a killed one is free."""
    tmp_path.joinpath('.unfinished_1_epoch_2.pth').touch()
    context = multiprocessing.get_context('fork')
    held = context.Event()

    def hold() -> None:
        with only_process_in(tmp_path, '.training.lock', 'a training'):
            held.set()
            signal.pause()

    other = context.Process(target=hold, daemon=True)
    other.start()
    assert held.wait(60)
    args = ('train.py', CONFIG, '--work-dir', str(tmp_path),
            *options(shapes, 'train_cfg.max_epochs=1'))
    with pytest.raises(SystemExit, match='is in use by a training that still'):
        tool(*args)
    assert not list(tmp_path.glob('epoch*'))
    other.kill()
    other.join()
    tool(*args)
    assert [p.name for p in tmp_path.glob('*.pth')] == ['epoch_1.pth']
    assert not list(tmp_path.glob('.unfinished*'))


def test_a_full_disk_keeps_the_last_checkpoint(shapes, tmp_path, tool,
                                               monkeypatch):
    def put(self, content: bytes, path: str) -> None:
        Path(path).write_bytes(content[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    args = ('train.py', CONFIG, '--work-dir', str(tmp_path))
    more = ('--resume', *options(shapes, 'train_cfg.max_epochs=2'))
    tool(*args, *options(shapes, 'train_cfg.max_epochs=1'))
    with monkeypatch.context() as patch:
        patch.setattr(LocalBackend, 'put', put)
        with pytest.raises(SystemExit, match='epoch_2.pth cannot be written: '
                           'No space left on device'):
            tool(*args, *more)
    assert [p.name for p in tmp_path.glob('*.pth')] == ['epoch_1.pth']
    tool(*args, *more)
    assert (tmp_path / 'epoch_2.pth').is_file()


@pytest.mark.parametrize(('changes', 'message'), [
    (['train_dataloader.batch_size=20', 'train_dataloader.drop_last=True'],
     'batch_size=20'),
    (['val_evaluator.type=MovingShapesMetric',
      'val_evaluator.data_root=nowhere'], 'nowhere is missing'),
])
def test_training_that_cannot_work_does_not_start(shapes, tmp_path, tool,
                                                  changes, message):
    with pytest.raises(SystemExit, match=message):
        tool('train.py', CONFIG, '--work-dir', str(tmp_path),
             *options(shapes, *changes))
    assert not list(tmp_path.glob('*.pth'))


def test_options_of_workers_without_workers(shapes, tmp_path, tool):
    tool('test.py', CONFIG, colour_checkpoint(tmp_path), '--work-dir',
         str(tmp_path),
         *options(shapes, 'test_dataloader.persistent_workers=True',
                  'test_dataloader.prefetch_factor=2'))


@pytest.mark.parametrize(('option', 'name'), [
    ('--out', 'folder.json'),
    ('--out', 'file/metrics.json'),
    ('--show-dir', 'file'),
    ('--work-dir', 'file/work'),
])
def test_outputs_are_checked_before_the_work(tmp_path, tool, monkeypatch,
                                             option, name):
    (tmp_path / 'file').touch()
    (tmp_path / 'folder.json').mkdir()
    monkeypatch.setattr('mmrvos.engine.RVOSRunner.from_cfg', None)
    with pytest.raises(SystemExit, match=name):
        tool('test.py', CONFIG, colour_checkpoint(tmp_path), option,
             str(tmp_path / name))


@pytest.mark.parametrize(('name', 'message'), [
    ('folder', 'is a folder, expected a file'),
    ('pipe', 'is a named pipe, expected a file'),
    ('link', 'is a link to nowhere, which is missing'),
    ('weights.pth', 'is not the state of a training'),
])
def test_checkpoints_are_checked_before_the_work(tmp_path, tool, monkeypatch,
                                                 name, message):
    (tmp_path / 'folder').mkdir()
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'link').symlink_to('nowhere')
    torch.save({'w': torch.ones(1)}, tmp_path / 'weights.pth')
    monkeypatch.setattr('mmrvos.engine.RVOSRunner.from_cfg', None)
    path, work = str(tmp_path / name), ['--work-dir', str(tmp_path / 'work')]
    with pytest.raises(SystemExit, match=message):
        tool('train.py', CONFIG, '--resume', path, *work)
    if name != 'weights.pth':
        with pytest.raises(SystemExit, match=message):
            tool('test.py', CONFIG, path, *work)


@pytest.mark.parametrize(('args', 'message'), [
    (['train.py', 'nothing.py'], 'nothing.py is missing'),
    (['train.py', CONFIG, '--resume', 'no.pth'], 'no.pth is missing'),
    (['train.py', CONFIG, '--resume', '--work-dir', 'mistyped'], 'mistyped'),
    (['train.py', CONFIG, '--work-dir', 'LICENSE'], 'LICENSE'),
    (['train.py', 'configs/ifirvos/r50_ytvos.py'],
     'train configs/ifirvos/r50_refcoco-pretrain.py and .*publish_model.py '
     'work_dirs/ifirvos/r50_refcoco-pretrain/epoch_10.pth '
     'checkpoints/ifirvos_r50_refcoco-pretrain.pth'),
    (['train.py', 'configs/soc/video-swin-t_ytvos.py'],
     'train configs/soc/video-swin-t_refcoco-pretrain.py'),
    (['train.py', 'configs/html/r50_ytvos.py'],
     'mmrvos download referformer_r50_refcoco-pretrain", or train '),
    (['train.py', CONFIG, '--cfg-options', 'train_cfg.max_epoch=2'],
     "did you mean 'max_epochs'"),
    (['test.py', CONFIG, 'no.pth'], 'no.pth is missing'),
    (['test.py', CONFIG, 'checkpoints/soc_video-swin-t_joint.pth'],
     'To get it, run "mmrvos download soc_video-swin-t_joint", or train '),
    (['test.py', CONFIG, 'LICENSE', '--out', 'metrics.txt'], '.json'),
])
def test_wrong_input_is_one_line(args, message, tool):
    with pytest.raises(SystemExit) as stop:
        tool(*args)
    first, *rest = str(stop.value.code).splitlines()
    assert re.search(message, first)
    assert rest == ['(MMRVOS_TRACEBACK=1 shows where it was raised)']
