import copy
import os
from dataclasses import fields
from pathlib import Path

import pytest
from mmengine.config import Config

from mmrvos.models import InferenceCfg
from mmrvos.utils import (
    ConfigError,
    apply_options,
    default_work_dir,
    load_config,
)
from mmrvos.utils.config import PLAIN_DICTS, RUNNER_KEYS

ROOT = Path(__file__).parents[2]
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


def test_a_key_that_only_a_file_can_add():
    with pytest.raises(ConfigError, match=(
            "has no key 'frozen'.*An option cannot add one, a config file")):
        load_config(ROOT / 'configs/referformer/tiny_shapes.py',
                    {'custom_hooks.0.stages.1.frozen': ['backbone']})


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


@pytest.fixture
def leaf(tmp_path):
    """Write a config on a shipped one."""

    def write(text: str, base: str = 'configs/referformer/tiny_shapes.py'):
        path = tmp_path / 'leaf.py'
        path.write_text(f"_base_ = '{ROOT / base}'\n{text}\n")
        return path

    return write


@pytest.mark.parametrize(('text', 'message'), [
    ('default_hooks = dict(checkpoint=dict(intervall=1))',
     "default_hooks.checkpoint has no key 'intervall'; did you mean "
     "'interval'"),
    ('default_hooks = dict(chekpoint=dict(interval=1))',
     "default_hooks.chekpoint has no type; did you mean 'checkpoint'"),
    ("custom_hooks = [dict(type='EMAHook', momentm=0.1)]",
     "custom_hooks.0 has no key 'momentm'; did you mean 'momentum'"),
    ("custom_hooks = [dict(type='EMAHok')]",
     "custom_hooks.0.type is 'EMAHok', which is not registered; did you mean "
     "'EMAHook'"),
    ('optim_wrapper = dict(clip_grad=dict(max_nrm=1.))',
     "optim_wrapper.clip_grad has no key 'max_nrm'; did you mean 'max_norm'"),
    ('optim_wrapper = dict(optimizer=dict(paramwise_cfg=dict()))',
     "optim_wrapper.optimizer has no key 'paramwise_cfg'"),
    ('model = dict(decoder=dict(num_querys=5))',
     "model.decoder has no key 'num_querys'; did you mean 'num_queries'"),
    ('train_dataloader = dict(num_worker=1)',
     "train_dataloader has no key 'num_worker'; did you mean 'num_workers'"),
    ('test_dataloader = dict(dataset=dict(data_rot="x"))',
     "test_dataloader.dataset has no key 'data_rot'; did you mean "
     "'data_root'"),
    ('train_cfg = dict(max_epoch=3)',
     "train_cfg has no key 'max_epoch'; did you mean 'max_epochs'"),
    ('param_scheduler = [dict(type="LinearLR", strt_factor=1.)]',
     "param_scheduler.0 has no key 'strt_factor'; did you mean "
     "'start_factor'"),
    ('randomness = dict(sead=1)', "did you mean 'seed'"),
    ("custom_hooks = [dict(type='TrainingStagesHook', stages=[dict("
     "stage='whole', epochs=1, pipeline=[dict(type='LoadFrames', x=1)])])]",
     "custom_hooks.0.stages.0.pipeline.0 has no key 'x'"),
    ("train_dataloader = dict(dataset=dict(pipeline=[dict(tpye='X')]))",
     'train_dataloader.dataset.pipeline.0 has no type, its keys are tpye'),
])
def test_misspelt_key_of_a_file(leaf, text, message):
    with pytest.raises(ConfigError) as error:
        load_config(leaf(text))
    assert message in str(error.value)


@pytest.mark.parametrize(('text', 'message'), [
    ('train_dataloader = dict(dataset=None)',
     'train_dataloader.dataset is None, expected a dictionary with a type'),
    ("train_dataloader = dict(collate_fn=dict(typ='pseudo_collate'))",
     'train_dataloader.collate_fn is'),
    ('train_dataloader = dict(batch_size=0)',
     'train_dataloader.batch_size is 0'),
    ("optim_wrapper = dict(optimizer=dict(lr='1e-3'))",
     "optim_wrapper.optimizer.lr is '1e-3', expected a number"),
    ("optim_wrapper = dict(clip_grad=dict(max_norm='1'))",
     "optim_wrapper.clip_grad.max_norm is '1', expected a number"),
    ("optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'text_encoder"
     ".model': dict(lr_mult='0.1')}))", "lr_mult is '0.1', expected a number"),
    ("log_level = 'INF'", "log_level is 'INF', expected 'DEBUG', 'INFO'"),
    ("param_scheduler = [dict(type='MultiStepLR', milestones=3)]",
     'param_scheduler.0.milestones is 3, expected a list of integers'),
    ("param_scheduler = [dict(type='MultiStepLR', milestones=['a'])]",
     "param_scheduler.0.milestones is ['a'], expected a list of integers"),
    ('train_cfg = dict(val_interval=0)', 'train_cfg.val_interval is 0'),
    ('train_cfg = dict(max_epochs=True)', 'train_cfg.max_epochs is True'),
    ('default_hooks = dict(checkpoint=dict(interval=0))',
     'default_hooks.checkpoint.interval is 0, expected'),
    ("custom_hooks = [dict(type='EMAHook', ema_type='ExponentialMoving')]",
     "custom_hooks.0.ema_type is 'ExponentialMoving', which is not "
     "registered; did you mean 'ExponentialMovingAverage'"),
    ("env_cfg = dict(dist_cfg=dict(backnd='gloo'))",
     "env_cfg.dist_cfg has no key 'backnd'; did you mean 'backend'"),
    ("log_processor = dict(custom_cfg=[dict(data_src='loss', "
     "methd_name='mean')])", "has no key 'methd_name'; did you mean"),
    ("log_processor = dict(custom_cfg=[dict(data_src='loss', "
     "method_name='men')])", "method_name is 'men', expected 'mean'"),
])
def test_values_that_fail_late(leaf, text, message):
    with pytest.raises(ConfigError) as error:
        load_config(leaf(text))
    assert message in str(error.value)


@pytest.fixture(scope='module')
def tiny_shapes():
    return load_config(ROOT / 'configs/referformer/tiny_shapes.py')


@pytest.mark.parametrize(('key', 'value', 'expected'), [
    ('model.decoder.num_queries', 'x', 'an integer'),
    ('model.decoder.num_queries', True, 'an integer'),
    ('model.decoder.num_queries', 5.5, 'an integer'),
    ('model.channels_last', 'yes', 'True or False'),
    ('model.channels_last', 1, 'True or False'),
    ('model.backbone_channels', 256, 'a list of integers'),
    ('model.backbone_channels', ['a'], 'a list of integers'),
    ('model.head.loss_weights', dict(mask='2'), 'a dictionary of numbers'),
    ('model.text_encoder', 'roberta', 'a dictionary'),
    ('test_dataloader.dataset.test_mode', 'False', 'True or False'),
    ('test_dataloader.dataset.ann_file', 3, 'a text'),
    ('test_dataloader.dataset.pipeline', 'LoadFrames', 'a list of values'),
    ('train_dataloader.drop_last', 'x', 'True or False'),
    ('train_dataloader.num_workers', '2', 'an integer'),
    ('train_dataloader.persistent_workers', 'no', 'True or False'),
    ('default_hooks.checkpoint.by_epoch', 'no', 'True or False'),
    ('default_hooks.checkpoint.max_keep_ckpts', 'all', 'an integer'),
    ('default_hooks.visualization.draw', 'yes', 'True or False'),
    ('randomness.deterministic', 'yes', 'True or False'),
    ('randomness.seed', 'one', 'an integer'),
    ('randomness.seed', -1, 'an integer'),
    ('env_cfg.cudnn_benchmark', 'off', 'True or False'),
    ('train_cfg.by_epoch', 'no', 'True or False'),
    ('find_unused_parameters', 'no', 'True or False'),
    ('load_cfg', dict(drop='head'), 'a list of regular expressions'),
    ('resume', 'epoch_3.pth', 'True or False'),
    ('load_from', ['a.pth'], 'a text'),
])
def test_values_of_a_wrong_type(tiny_shapes, key, value, expected):
    with pytest.raises(ConfigError) as error:
        apply_options(copy.deepcopy(tiny_shapes), {key: value})
    assert str(error.value).startswith((f'{key} is ', f'{key}.drop is '))
    assert f'expected {expected}' in str(error.value)


def test_values_of_options_are_checked(leaf):
    with pytest.raises(ConfigError, match='val_interval is 0'):
        load_config(leaf(''), {'train_cfg.val_interval': 0})
    cfg = load_config(leaf(''), {'default_hooks.checkpoint.interval': -1})
    assert cfg.default_hooks.checkpoint.interval == -1


@pytest.mark.parametrize(('text', 'message'), [
    ("resume_from = 'epoch_3.pth'", "'resume_from'.*--resume"),
    ("optimizer = dict(type='SGD')", "'optimizer'.*optim_wrapper.optimizer"),
    ('lr = 1e-3', "'lr'.*optim_wrapper.optimizer.lr"),
    ('data = dict(samples_per_gpu=3)', "'data'.*train_dataloader"),
    ('test_pipeline = []', "'test_pipeline'.*already used"),
    ("data_rot = 'data/mine'", "'data_rot'.*Is 'data_root' meant"),
    ("resumefrom = 'epoch_3.pth'", "'resumefrom'.*Is 'resume_from' meant"),
    ('amp = True', "'amp'.*--amp"),
    ("device = 'cuda'", "'device'.*CUDA_VISIBLE_DEVICES"),
    ('num_queries = 3', "'num_queries'.*model.decoder.num_queries"),
])
def test_helper_variables_without_effect(leaf, text, message):
    with pytest.raises(ConfigError, match=message):
        load_config(leaf(text))


@pytest.mark.parametrize(('key', 'meant'), [
    ('optimizer', 'optim_wrapper.optimizer'),
    ('optimizer.lr', 'optim_wrapper.optimizer'),
    ('lr', 'optim_wrapper.optimizer.lr'),
    ('data.samples_per_gpu', 'train_dataloader'),
    ('resume_from', '--resume'),
    ('runner.max_epochs', 'train_cfg'),
])
def test_options_of_other_toolboxes(path, key, meant):
    with pytest.raises(ConfigError, match=f'{key.split(".")[0]!r}: .*{meant}'):
        load_config(path, {key: 1})


def test_pipes_are_no_configs(tmp_path):
    os.mkfifo(tmp_path / 'pipe.py')
    with pytest.raises(ValueError, match='pipe.py is a named pipe'):
        load_config(tmp_path / 'pipe.py')
    (tmp_path / 'leaf.py').write_text("_base_ = 'pipe.py'\n")
    with pytest.raises(ConfigError, match='pipe.py is a named pipe'):
        load_config(tmp_path / 'leaf.py')


def test_helper_variables_that_are_read(leaf):
    cfg = load_config(
        leaf('lr = 1e-3\noptim_wrapper = dict(optimizer=dict(lr=lr))'))
    assert cfg.optim_wrapper.optimizer.lr == 1e-3
    with pytest.warns(UserWarning, match="'remark', which nothing reads"):
        load_config(leaf("remark = 'run 3'"))


@pytest.mark.parametrize(('text', 'message'), [
    ('model = dict(', r"never closed \(.*leaf.py, line 2\)"),
    ('x = undefined_name', 'undefined_name.*leaf.py, line 2'),
    ('import no_such_module', 'no_such_module'),
    ("custom_imports = dict(imports=['no_such_module'])", 'no_such_module'),
    ('raise SystemExit(3)', 'ends the program'),
])
def test_file_that_does_not_run(leaf, text, message):
    with pytest.raises(ConfigError, match=message) as error:
        load_config(leaf(text))
    assert 'leaf.py' in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_base_that_does_not_run(tmp_path):
    (tmp_path / 'base.py').write_text('model = dict(\n')
    path = tmp_path / 'leaf.py'
    path.write_text("_base_ = './base.py'\n")
    with pytest.raises(ConfigError, match=r'leaf.py.*base.py, line 1'):
        load_config(path)


def data_paths(cfg) -> list:
    return [
        *(cfg[f'{split}_dataloader'].dataset.data_root
          for split in ('train', 'val', 'test')), cfg.val_evaluator.data_root,
        cfg.test_evaluator.data_root
    ]


@pytest.mark.parametrize('place', ['file', 'options'])
def test_data_root_reaches_loaders_and_evaluators(leaf, place):
    if place == 'file':
        cfg = load_config(leaf("data_root = 'elsewhere'"))
    else:
        cfg = load_config(
            leaf(''), {
                'test_dataloader.dataset.data_root': 'other',
                'data_root': 'elsewhere'
            })
    paths = data_paths(cfg)
    if place == 'options':  # what is more specific comes last
        assert paths.pop(2) == 'other'
    assert {path.rstrip('/') for path in paths} == {'elsewhere'}


def test_data_root_of_a_config_without_one(path):
    cfg = load_config(
        path, {
            'train_dataloader.dataset.data_root': '',
            'train_dataloader.dataset.ann_file': '',
        })
    apply_options(cfg, {'data_root': 'elsewhere/'})
    assert cfg.train_dataloader.dataset.data_root == 'elsewhere'
    assert cfg.train_dataloader.dataset.ann_file == ''


def test_data_root_of_several_folders(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text("""
train_dataloader = dict(dataset=dict(datasets=[
    dict(data_root='a'), dict(data_root='b')]))
""")
    with pytest.raises(ConfigError, match='datasets.0.data_root=a, .*=b'):
        load_config(path, {'data_root': 'c'})


@pytest.mark.filterwarnings('error::UserWarning')
@pytest.mark.parametrize('name', [
    'referformer/tiny_shapes', 'referformer/video-swin-t_a2d',
    'soc/video-swin-t_joint', 'mttr/tiny_shapes'
])
def test_a_config_of_a_work_dir_is_read(tmp_path, name):
    """MMEngine's copy has all helper variables of the bases."""
    path = ROOT / f'configs/{name}.py'
    Config.fromfile(path).dump(tmp_path / 'config.py')
    copy, cfg = load_config(tmp_path / 'config.py'), load_config(path)
    for key in RUNNER_KEYS & set(cfg):
        assert copy[key] == cfg[key], key


def test_work_dirs_of_ablations_are_those_of_their_method():
    assert default_work_dir('configs/soc/x_y.py') == 'work_dirs/soc/x_y'
    assert default_work_dir('configs/soc/ablations/x.py') == 'work_dirs/soc/x'
