"""The tools as they are called: other processes, whole runs."""
import json
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmrvos.datasets.moving_shapes import generate
from mmrvos.utils import read_checkpoint

from ..colour_segmentor import colour_checkpoint

ROOT = Path(__file__).resolve().parents[2]
CONFIG = 'tests/test_tools/colour_shapes.py'
EPOCH_ITERS = 8  # 8 videos, a start every 5th of 8 frames, batches of 2


@pytest.fixture(scope='module')
def shapes(tmp_path_factory) -> str:
    root = tmp_path_factory.mktemp('data') / 'mini'
    generate('mini', root, workers=1)
    return str(root)


def run(*command: str, data: str, options: tuple[str, ...] = (),
        code: int = 0) -> str:
    """Run a tool in the repository, as on a machine without GPU."""
    done = subprocess.run(
        [
            *command, '--cfg-options',
            *(f'{loader}_dataloader.dataset.data_root={data}'
              for loader in ('train', 'val', 'test')), *options
        ],
        cwd=ROOT,
        env=os.environ | dict(
            PYTHONPATH=str(ROOT),
            PYTHON=sys.executable,
            CUDA_VISIBLE_DEVICES='',
            OMP_NUM_THREADS='1'),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120)
    assert done.returncode == code, done.stdout
    return done.stdout


def test_evaluation_is_the_same_in_two_processes(shapes, tmp_path):
    checkpoint = colour_checkpoint(tmp_path, threshold=120)
    metrics = []
    for name, command in (
        ('one', [sys.executable, 'tools/test.py', CONFIG, checkpoint]),
        ('two', ['bash', 'tools/dist_test.sh', CONFIG, checkpoint, '2'])):
        out = tmp_path / f'{name}.json'
        run(*command, '--work-dir', str(tmp_path / name), '--out', str(out),
            '--show-dir', str(tmp_path / f'show_{name}'), data=shapes)
        metrics.append(json.loads(out.read_text())['metrics'])
    assert metrics[0] == metrics[1]
    assert 0 < metrics[0]['ytvos/J&F'] < 100
    for name in ('show_one', 'show_two'):
        shown = sorted(p.suffix for p in (tmp_path / name).iterdir())
        assert shown == ['.mp4'] * 3 + ['.png'] * 3


def test_training_in_two_processes(shapes, tmp_path):
    log = run('bash', 'tools/dist_train.sh', CONFIG, '2', '--work-dir',
              str(tmp_path), '--auto-scale-lr', data=shapes,
              options=('train_cfg.max_epochs=1', 'train_cfg.val_interval=1'))
    assert 'ytvos/J&F' in log
    checkpoint = read_checkpoint(tmp_path / 'epoch_1.pth')
    # each process took half of the batches
    assert checkpoint['meta']['iter'] == EPOCH_ITERS // 2
    # two processes, twice the clips in a step, twice the learning rate
    group, = checkpoint['optimizer']['param_groups']
    assert group['initial_lr'] == pytest.approx(0.2)


def test_killed_training_resumes(shapes, tmp_path):
    train = [sys.executable, 'tools/train.py', CONFIG]
    whole, cut = tmp_path / 'whole', tmp_path / 'cut'
    seed = 'randomness.seed=3'
    run(*train, '--work-dir', str(whole), data=shapes, options=(seed, ))
    run(*train, '--work-dir', str(cut), data=shapes, code=-signal.SIGKILL,
        options=(seed, f'custom_hooks.0.after={EPOCH_ITERS + 3}'))
    log = run(*train, '--work-dir', str(cut), '--resume', data=shapes,
              options=(seed, ))
    assert f'resumed epoch: 1, iter: {EPOCH_ITERS}' in log
    ends = [read_checkpoint(d / 'epoch_3.pth') for d in (whole, cut)]
    for end in ends:
        assert (end['meta']['epoch'], end['meta']['iter']) == (
            3, 3 * EPOCH_ITERS)
        assert end['optimizer']['state'][0]['step'] == 3 * EPOCH_ITERS
    # the same weights, moments and learning rate: nothing was forgotten
    assert str(ends[0]['optimizer']) == str(ends[1]['optimizer'])
    assert torch.equal(*(end['state_dict']['threshold'] for end in ends))


def tool(name: str, *args: str, monkeypatch) -> str:
    """The message with which a tool of this process gives up."""
    monkeypatch.setattr(sys, 'argv', [name, *args])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / 'tools' / name), run_name='__main__')
    assert stop.value.code not in (0, None)
    return str(stop.value.code)


@pytest.mark.parametrize(('args', 'message'), [
    (['train.py', 'nothing.py'], 'nothing.py is missing'),
    (['train.py', CONFIG, '--resume', 'no.pth'], 'no.pth is missing'),
    (['train.py', CONFIG, '--cfg-options', 'train_cfg.max_epoch=2'],
     "did you mean 'max_epochs'"),
    (['test.py', CONFIG, 'no.pth'], 'no.pth is missing'),
    (['test.py', CONFIG, 'LICENSE', '--out', 'metrics.txt'], '.json'),
])
def test_wrong_input_is_one_line(args, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    said = tool(*args, monkeypatch=monkeypatch)
    assert message in said
    assert 'Traceback' not in said
