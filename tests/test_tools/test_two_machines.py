"""A training on two machines, as two network namespaces of this one."""
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from mmrvos.engine.distributed import interface_to
from mmrvos.utils import read_checkpoint

from .running import (
    CONFIG,
    ENVIRONMENT,
    EPOCH_ITERS,
    LAST,
    POWER_CUT,
    ROOT,
    options,
)

STEPS = EPOCH_ITERS // 2  # of an epoch in two processes


def ip(*args: str) -> None:
    subprocess.run(['ip', *args], check=True, capture_output=True)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


@pytest.fixture
def machines():
    """Address of the first machine, and the commands that enter them.

    Two network namespaces, where the system allows them; otherwise both are
    this machine, on its loopback interface.
    """
    names = [f'mmrvos{os.getpid()}{end}' for end in 'ab']
    links = [f'mm{os.getpid()}{end}' for end in 'ab']
    with ExitStack() as stack:
        try:
            for name in names:
                ip('netns', 'add', name)
                stack.callback(ip, 'netns', 'delete', name)
            ip('link', 'add', links[0], 'netns', names[0], 'type', 'veth',
               'peer', 'name', links[1], 'netns', names[1])
            for i, name in enumerate(names):
                ip('-n', name, 'address', 'add', f'10.77.0.{i + 1}/24', 'dev',
                   links[i])
                for link in (links[i], 'lo'):
                    ip('-n', name, 'link', 'set', link, 'up')
        except (OSError, subprocess.CalledProcessError):
            yield '127.0.0.1', [[], []]
        else:
            yield '10.77.0.1', [['ip', 'netns', 'exec', n] for n in names]


def losses(work_dir: Path) -> list[float]:
    """Of rank 0, one per step."""
    log, = work_dir.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line['loss'] for line in lines if 'loss' in line]


@pytest.mark.skipif(
    sys.platform != 'linux' or shutil.which('bash') is None,
    reason='network namespaces and the launcher are those of Linux')
def test_two_machines(machines, shapes, tmp_path, two_processes, tool):
    """Two machines train as two processes of one do. One of them is switched
    off in the second epoch; the other ends and says so. The training is
    resumed in one process."""
    master, enter = machines
    port = free_port()
    cut = [f'{POWER_CUT}{STEPS + 2}', 'custom_hooks.0.kill=True']
    nodes = []
    for rank, command in enumerate(enter):
        nodes.append(
            subprocess.Popen(
                [
                    *command, 'bash', 'tools/dist_train.sh', CONFIG, '1',
                    '--work-dir', str(tmp_path / f'node{rank}'),
                    '--auto-scale-lr', *options(shapes, *(cut * rank))
                ],
                cwd=ROOT,
                env=os.environ | ENVIRONMENT | dict(
                    NNODES='2',
                    NODE_RANK=str(rank),
                    MASTER_ADDR=master,
                    PORT=str(port)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True))
    try:
        nodes[1].communicate(timeout=180)
        switched_off = time.monotonic()
        log, _ = nodes[0].communicate(timeout=60)
    finally:
        for node in nodes:
            node.kill()
    assert time.monotonic() - switched_off < 60
    assert nodes[0].returncode != 0
    assert 'the connection to another process was lost' in log, log

    seen = losses(tmp_path / 'node0')
    assert len(seen) >= STEPS + 1
    assert seen == losses(two_processes[0])[:len(seen)]

    tool('train.py', CONFIG, '--work-dir', str(tmp_path / 'node0'),
         '--resume', *options(shapes))
    end = read_checkpoint(tmp_path / 'node0' / LAST)
    assert end['meta']['iter'] == 4 * EPOCH_ITERS


@pytest.mark.skipif(sys.platform != 'linux', reason='asks Linux')
def test_interface_to_a_host():
    assert interface_to('127.0.0.1') == 'lo'
