"""The command line before a command does its work."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmrvos.cli import COMMANDS

ROOT = Path(__file__).parents[2]


def python(*args: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *args],
                          env=os.environ | dict(PYTHONPATH=str(ROOT)),
                          capture_output=True,
                          text=True,
                          check=True)


def test_list_starts_without_torch():
    done = python('-X', 'importtime', '-m', 'mmrvos', 'list', 'referformer_*')
    assert 'referformer_r50_ytvos' in done.stdout
    imported = {line.split('|')[-1].strip()
                for line in done.stderr.splitlines()}
    assert 'mmrvos.model_index' in imported
    assert not imported & {'torch', 'mmengine.runner', 'transformers'}


def test_help_lists_the_commands():
    said = python('-m', 'mmrvos', '--help').stdout
    for name, text in COMMANDS.items():
        assert name in said and text in said
        assert (ROOT / f'mmrvos/commands/{name}.py').is_file()


@pytest.mark.parametrize('command', COMMANDS)
def test_every_command_explains_itself(mmrvos, capsys, command):
    with pytest.raises(SystemExit) as left:
        mmrvos(command, '--help')
    assert left.value.code == 0
    assert f'usage: mmrvos {command}' in capsys.readouterr().out


def test_unknown_command(mmrvos, capsys):
    with pytest.raises(SystemExit) as left:
        mmrvos('downlod', 'x')
    assert left.value.code == 2
    assert "invalid choice: 'downlod'" in capsys.readouterr().err
