"""docs/moving_shapes.md, how another size is set."""
import re
import shlex
import subprocess
from pathlib import Path

from mmengine.registry import init_default_scope

from mmrvos.registry import DATASETS
from mmrvos.utils import load_config

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs/moving_shapes.md').read_text()


def test_training_on_mini(tmp_path):
    """The options of the page reach all loaders."""
    command, = re.findall(r'python .* work_dirs/mini (?:.*\\\n)+.*', PAGE)
    words = shlex.split(
        subprocess.run(['bash', '-c', f'printf "%q " {command}'],
                       check=True, capture_output=True, text=True).stdout)
    options = dict(
        word.split('=') for word in words[words.index('--cfg-options') + 1:])
    assert options['data_root'] == 'data/moving_shapes_mini/'
    options['data_root'] = f'{tmp_path}/mini/'
    cfg = load_config(ROOT / words[2], options)
    init_default_scope('mmrvos')
    for part, videos in (('train', 8), ('val', 4), ('test', 4)):
        dataset = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
        assert len(dataset) == videos
