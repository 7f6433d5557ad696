"""docs/own_data.md, from a folder of videos to a tested model."""
import json
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from mmrvos.cli import main
from mmrvos.model_index import find_model
from mmrvos.moving_shapes import generate
from mmrvos.utils import load_config

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs/own_data.md').read_text()
FILES = dict(
    re.findall(r'```python\n# file: (\S+)\n(.*?)```', PAGE, flags=re.S))
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r'```bash\n(.*?)```', PAGE, flags=re.S)
    for line in block.splitlines()
]
TABLE, = re.findall(r'```\n(video,object,.*?)```', PAGE, flags=re.S)
#: Moving Shapes stands in for the videos of a reader
VIDEOS = dict(street='shapes_train_0000', park='shapes_train_0001')


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A checkout with the files of the page, and a folder my_data."""
    generate('mini', tmp_path / 'mini', workers=1, progress=False)
    for name, source in VIDEOS.items():
        for kind, part in (('frames', 'JPEGImages'),
                           ('masks', 'Annotations')):
            shutil.copytree(tmp_path / 'mini/train' / part / source,
                            tmp_path / 'my_data' / kind / name)
    (tmp_path / 'my_data/sentences.csv').write_text(TABLE)
    for name in ('configs', 'tools', 'demo'):
        (tmp_path / name).symlink_to(ROOT / name)
    for name, code in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MMRVOS_HOME', str(tmp_path / 'home'))
    # yapf formats the config of a log file, which takes most of the time
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode',
                        lambda text, **kwargs: (text, True))
    return tmp_path


def call(monkeypatch, command: list[str]) -> None:
    """Run a command of the page in this process."""
    program, *args = command[1:] if command[0] == 'python' else command
    monkeypatch.setattr(sys, 'argv', [program, *args])
    if program == 'mmrvos':
        main()
        return
    try:
        runpy.run_path(program, run_name='__main__')
    except SystemExit as end:
        # check_dataset ends so that a script can see its result
        assert not end.code, end.code


def check_console(log: str) -> None:
    """A training starts with few lines, and ends with a table."""
    before, found, after = log.partition('Epoch(')
    assert found and before.count('\n') < 60
    assert 'Groups of the optimizer: 1' in before
    assert 'this training has' not in before  # its schedule fits
    assert re.search(r'^  J&F [\d.]+  J [\d.]+  F [\d.]+', after, re.M)
    assert 'T_acc' not in after  # every sentence of valid has a target


def test_every_command_runs(folder, monkeypatch, capsys):
    assert len(COMMANDS) == 10
    outputs = {}
    for command in COMMANDS:
        call(monkeypatch, command)
        captured = capsys.readouterr()
        name = command[1]
        outputs[name] = (outputs.get(name, '') + captured.out
                         + captured.err)
    out = ''.join(outputs.values())
    check_console(outputs['tools/train.py'])
    assert 'train: 1 videos, 3 sen' in out and 'valid: 1 videos, 1' in out
    assert out.count(f'Load checkpoint from {ROOT}/demo/referformer_tiny'
                     ) == 2  # fine-tuning, and the test by name
    metrics = json.loads((folder / 'metrics.json').read_text())['metrics']
    assert 0 < metrics['ytvos/J&F'] <= 100
    for name in ('browse/index.html', 'curves.png', 'results.html',
                 'my_model.pth', 'output/overlay.png'):
        assert (folder / name).is_file(), name


def test_the_config_for_a_gpu(folder):
    cfg = load_config('my_configs/r50.py')
    assert find_model(cfg.load_from).name == 'referformer_r50_ytvos'
    assert cfg.train_dataloader.dataset.data_root == 'data/custom/'
