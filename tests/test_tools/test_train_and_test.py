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

from mmrvos.moving_shapes import generate
from mmrvos.utils import read_checkpoint

from ..colour_segmentor import ColourSegmentor, colour_checkpoint

ROOT = Path(__file__).resolve().parents[2]
CONFIG = 'tests/test_tools/colour_shapes.py'
EPOCH_ITERS = 8  # 8 videos, a start every 5th of 8 frames, batches of 2


@pytest.fixture(scope='module')
def shapes(tmp_path_factory) -> str:
    root = tmp_path_factory.mktemp('data') / 'mini'
    generate('mini', root, workers=1)
    return str(root)


def options(data: str, *more: str) -> list[str]:
    return [
        '--cfg-options', *more,
        *(f'{loader}_dataloader.dataset.data_root={data}'
          for loader in ('train', 'val', 'test'))
    ]


def run(*command: str, code: int = 0) -> str:
    """Run a command in the repository, as on a machine without GPU."""
    done = subprocess.run(
        command,
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
        timeout=300)
    assert done.returncode == code, done.stdout
    return done.stdout


@pytest.fixture
def tool(monkeypatch):
    """Run a tool in this process: it need not start again."""

    def run_tool(name: str, *args: str) -> None:
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, 'argv', [name, *args])
        runpy.run_path(f'tools/{name}', run_name='__main__')

    return run_tool


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
        metrics.append(json.loads(out.read_text())['metrics'])
        shown.append(sorted(p.name for p in (folder / 'show').iterdir()))
    assert metrics[0] == metrics[1]
    assert 0 < metrics[0]['ytvos/J&F'] < 100
    assert shown[0] == shown[1]
    assert sorted(Path(s).suffix for s in shown[0]) == 3 * ['.mp4'
                                                            ] + 3 * ['.png']


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
    with pytest.raises(SystemExit, match='needs a GPU'):
        tool('train.py', CONFIG, '--amp')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    for args in ([], ['--amp'], ['--amp', 'bf16', '--compile']):
        tool('train.py', CONFIG, *args)
    assert done == [
        (None, None), 'trained',
        ('AmpOptimWrapper', 'float16'), 'trained',
        ('AmpOptimWrapper', 'bfloat16'), 'compiled', 'trained'
    ]


def test_training_in_two_processes(shapes, tmp_path):
    log = run(
        'bash', 'tools/dist_train.sh', CONFIG, '2', '--work-dir',
        str(tmp_path), '--auto-scale-lr',
        *options(shapes, 'train_cfg.max_epochs=1', 'train_cfg.val_interval=1'))
    assert 'ytvos/J&F' in log
    checkpoint = read_checkpoint(tmp_path / 'epoch_1.pth')
    # each process took half of the batches
    assert checkpoint['meta']['iter'] == EPOCH_ITERS // 2
    # two processes, twice the clips in a step, twice the learning rate
    group, = checkpoint['optimizer']['param_groups']
    assert group['initial_lr'] == pytest.approx(0.2)


def test_killed_training_resumes(shapes, tmp_path, tool):
    whole, cut = tmp_path / 'whole', tmp_path / 'cut'
    tool('train.py', CONFIG, '--work-dir', str(whole), *options(shapes))
    run(sys.executable, 'tools/train.py', CONFIG, '--work-dir', str(cut),
        *options(shapes, f'custom_hooks.0.after={EPOCH_ITERS + 3}'),
        code=-signal.SIGKILL)
    assert not (cut / 'epoch_2.pth').exists()
    tool('train.py', CONFIG, '--work-dir', str(cut), '--resume',
         *options(shapes))
    ends = [read_checkpoint(d / 'epoch_3.pth') for d in (whole, cut)]
    for end in ends:
        assert (end['meta']['epoch'], end['meta']['iter']) == (
            3, 3 * EPOCH_ITERS)
        assert end['optimizer']['state'][0]['step'] == 3 * EPOCH_ITERS
    # the same weights, moments and learning rate: nothing was forgotten
    assert str(ends[0]['optimizer']) == str(ends[1]['optimizer'])
    assert torch.equal(*(end['state_dict']['threshold'] for end in ends))


@pytest.mark.parametrize(('args', 'message'), [
    (['train.py', 'nothing.py'], 'nothing.py is missing'),
    (['train.py', CONFIG, '--resume', 'no.pth'], 'no.pth is missing'),
    (['train.py', CONFIG, '--cfg-options', 'train_cfg.max_epoch=2'],
     "did you mean 'max_epochs'"),
    (['test.py', CONFIG, 'no.pth'], 'no.pth is missing'),
    (['test.py', CONFIG, 'LICENSE', '--out', 'metrics.txt'], '.json'),
])
def test_wrong_input_is_one_line(args, message, tool):
    with pytest.raises(SystemExit) as stop:
        tool(*args)
    first, *rest = str(stop.value.code).splitlines()
    assert message in first
    assert rest == ['(MMRVOS_TRACEBACK=1 shows where it was raised)']
