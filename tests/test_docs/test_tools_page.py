"""The configs and commands of docs/tools.md."""
import re
import shlex
from pathlib import Path

import pytest

from mmrvos.utils import load_config

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs/tools.md').read_text()
BASE = f'_base_ = {str(ROOT / "configs/referformer/tiny_shapes.py")!r}\n'
BACKENDS = re.findall(r'^\| [\w& ]+ \| `(dict\(.*?\))` \|', PAGE, flags=re.M)


def backends(tmp_path: Path, code: str) -> list[str]:
    (tmp_path / 'own.py').write_text(BASE + code)
    cfg = load_config(str(tmp_path / 'own.py'))
    return [backend.type for backend in cfg.visualizer.vis_backends]


def test_the_example_of_backends(tmp_path):
    code, = re.findall(r'```python\n(.*?)```', PAGE, flags=re.S)
    assert backends(tmp_path, code) == [
        'LocalVisBackend', 'TensorboardVisBackend']


def test_the_table_lists_three_backends():
    assert [b.partition("'")[2].partition('VisBackend')[0]
            for b in BACKENDS] == ['Tensorboard', 'Wandb', 'MLflow']


@pytest.mark.parametrize('backend', BACKENDS)
def test_backends_of_the_table(tmp_path, backend):
    """Their names and options pass the check of the config."""
    code = f'visualizer = dict(vis_backends=[{backend}])\n'
    assert backends(tmp_path, code) == [eval(backend)['type']]


def test_options_of_the_commands_exist():
    blocks = re.findall(r'```bash\n(.*?)```', PAGE, flags=re.S)
    commands = [shlex.split(line) for block in blocks
                for line in block.replace('\\\n', ' ').splitlines()]
    assert len(commands) == 5
    for python, tool, *args in commands:
        assert python == 'python'
        source = (ROOT / tool).read_text()
        for option in (a for a in args if a.startswith('--')):
            assert f"'{option}'" in source, (tool, option)
