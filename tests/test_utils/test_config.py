import pytest

from mmrvos.utils import ConfigError, load_config

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
