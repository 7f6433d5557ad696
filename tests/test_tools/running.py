"""Run the tools, as the tests of whole trainings do."""
import os
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIG = 'tests/test_tools/colour_shapes.py'
LAST = 'epoch_4.pth'
POWER_CUT = 'custom_hooks.0.after='
EPOCH_ITERS = 8  # 8 videos, a start every 5th of 8 frames, batches of 2
# as on a machine without GPU
ENVIRONMENT = dict(
    PYTHONPATH=str(ROOT),
    PYTHON=sys.executable,
    CUDA_VISIBLE_DEVICES='',
    OMP_NUM_THREADS='1')


def options(data: str, *more: str) -> list[str]:
    return ['--cfg-options', *more, f'data_root={data}']


def run(*command: str, code: int = 0) -> str:
    """Run a command in the repository and return its output."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300)
    assert done.returncode == code, done.stdout
    return done.stdout


def run_tool(monkeypatch, name: str, *args: str) -> None:
    """Run a tool in this process, which saves the time to start another."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, 'argv', [name, *args])
    runpy.run_path(f'tools/{name}', run_name='__main__')


def train_in_two_processes(work_dir: Path, *args: str, code: int = 0) -> str:
    return run('bash', 'tools/dist_train.sh', CONFIG, '2', '--work-dir',
               str(work_dir), '--auto-scale-lr', *args, code=code)
