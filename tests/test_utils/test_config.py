from dataclasses import fields
from pathlib import Path

import pytest

from mmrvos.models import InferenceCfg
from mmrvos.utils import ConfigError, load_config
from mmrvos.utils.config import PLAIN_DICTS

CONFIG = '''
default_scope = 'mmrvos'
num_frames = 5
train_pipeline = [dict(type='ClipFlip', prob=0.5), dict(type='LoadFrames')]
model = dict(type='mmdet.ResNet', depth=50, test_cfg=dict(window=4))
train_dataloader = dict(
    batch_size=1,
    dataset=dict(type='RefYoutubeVOSDataset', pipeline=train_pipeline))
env_cfg = dict(cudnn_benchmark=False)
'''


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG)
    return path


def test_existing_keys_are_changed(path):
    cfg = load_config(
        path, {
            'model.depth': 18,
            'train_dataloader.dataset.pipeline.0.prob': 0.,
            'env_cfg.cudnn_benchmark': True
        })
    assert cfg.model.depth == 18
    assert cfg.train_dataloader.dataset.pipeline[0].prob == 0
    assert cfg.env_cfg.cudnn_benchmark is True


def test_parameters_of_the_class_may_be_added(path):
    cfg = load_config(
        path, {
            'model.with_cp': True,
            'train_dataloader.dataset.num_frames': 3,
            'train_dataloader.dataset.pipeline.0.direction': 'vertical',
            'load_from': 'x.pth'
        })
    assert cfg.model.with_cp is True
    assert cfg.train_dataloader.dataset.num_frames == 3
    assert cfg.load_from == 'x.pth'


def test_every_key_of_testing_may_be_added(path):
    assert PLAIN_DICTS['model.test_cfg'] == {
        field.name for field in fields(InferenceCfg)
    }
    cfg = load_config(path, {'model.test_cfg.overlap': 2})
    assert cfg.model.test_cfg == dict(window=4, overlap=2)


@pytest.mark.parametrize(('key', 'hint'), [
    ('model.dept', "model has no key 'dept'; did you mean 'depth'"),
    ('modle.depth', "did you mean 'model'"),
    ('model.test_cfg.windw', "did you mean 'window'"),
    ('env_cfg.cudnn_bench', "did you mean 'cudnn_benchmark'"),
    ('train_dataloader.dataset.num_frame', "did you mean 'num_frames'"),
    ('train_dataloader.dataset.pipeline.7.prob', "list of 2: '7'"),
    ('model.depth.x', "model.depth is 50: it has no key 'x'"),
    ('num_frames', 'helper variable of the config file'),
    ('train_pipeline.0.prob',
     'Perhaps one of: train_dataloader.dataset.pipeline.0.prob'),
    ('optim_wraper', "did you mean 'optim_wrapper'"),
])
def test_misspelt_options_are_refused(path, key, hint):
    with pytest.raises(ConfigError) as error:
        load_config(path, {key: 1})
    assert hint in str(error.value)


def test_misspelt_top_level_key_of_a_file(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG + 'optim_wraper = dict(clip_grad=None)\n')
    with pytest.raises(ConfigError, match="did you mean 'optim_wrapper'"):
        load_config(path)


def test_missing_file():
    with pytest.raises(FileNotFoundError, match='expected a config file'):
        load_config('configs/nothing.py')


def test_misspelt_key_beside_the_right_one(tmp_path, path):
    """The base has it, the leaf means to change it."""
    leaf = tmp_path / 'leaf.py'
    leaf.write_text("_base_ = 'config.py'\nmodle = dict(depth=18)\n")
    with pytest.raises(ConfigError, match="'modle'.* did you mean 'model'"):
        load_config(leaf)


@pytest.mark.parametrize(('text', 'key'), [
    ("load_cfg = dict(dorp=['x'])", 'dorp'),
    ('env_cfg = dict(cudnn_benchmrk=True)', 'cudnn_benchmrk'),
    ('optim_wrapper = dict(paramwise_cfg=dict(norm_decay=0))', 'norm_decay'),
])
def test_keys_that_no_constructor_sees(tmp_path, text, key):
    path = tmp_path / 'config.py'
    path.write_text(text)
    with pytest.raises(ConfigError, match=f'has no key {key!r}'):
        load_config(path)


def test_every_shipped_config_passes():
    configs = Path(__file__).parents[2] / 'configs'
    for path in configs.glob('*/*.py'):
        if path.parent.name != '_base_':
            load_config(path)
