import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import nn
from torch.utils.data import ConcatDataset

from mmrvos.engine.hooks import TrainingStagesHook
from mmrvos.engine.hooks.training_stages_hook import (
    changed_lengths,
    try_stage,
)
from mmrvos.registry import MODELS
from mmrvos.structures import RVOSDataSample

from ..test_models.tiny import CONFIGS, add_objects, make_batch

LOAD = [dict(type='LoadFrames')]
PACK = [dict(type='PackRVOSInputs')]


class Model(BaseModel):
    """Records its stage and mode when it computes losses."""
    stage = 'whole'

    def __init__(self, error=None, **parts):
        super().__init__()
        self.error, self.tried = error, []
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, data_samples, mode):
        self.tried.append((self.stage, mode, self.training))
        if self.error and self.stage == 'whole':
            raise self.error


class Dataset:
    """Records the pipelines that load a sample.

    Args:
        sample: of the pipelines that are set, or the error that they raise.
    """

    def __init__(self, sample=None):
        self.pipeline, self.loaded = 'as configured', []
        self.sample = sample

    def set_pipeline(self, pipeline):
        Compose(pipeline)
        self.pipeline = pipeline

    def __getitem__(self, index):
        self.loaded.append(self.pipeline)
        if self.pipeline != 'as configured':
            if isinstance(self.sample, Exception):
                raise self.sample
            if self.sample is not None:
                return self.sample
        return dict(data_samples=RVOSDataSample(gt=InstanceData()))


def make_runner(epoch=0, persistent=False, max_epochs=4, **parts):
    loader = SimpleNamespace(dataset=Dataset(), persistent_workers=persistent)
    heads = dict(category_head=nn.Identity(), dense_head=nn.Identity())
    return SimpleNamespace(
        model=Model(**heads | parts),
        train_dataloader=loader,
        epoch=epoch,
        max_epochs=max_epochs,
        message_hub=MessageHub('stages'))


def make_hook():
    return TrainingStagesHook([
        dict(stage='category', epochs=1),
        dict(stage='dense', epochs=2, pipeline=LOAD),
        dict(stage='whole', epochs=1, pipeline=PACK)
    ])


def test_pipelines_of_all_stages_are_checked_first():
    init_default_scope('mmrvos')
    runner = make_runner()
    make_hook().before_train(runner)
    dataset = runner.train_dataloader.dataset
    assert dataset.loaded == ['as configured', LOAD, PACK]
    assert dataset.pipeline == 'as configured'


@pytest.mark.parametrize(('pipeline', 'sample', 'message'), [
    ('a name', None, 'stage 2 of 2 .dense. loads no sample: TypeError'),
    (LOAD, KeyError('boxes'), 'stage 2 of 2 .* loads no sample: KeyError'),
    (LOAD, {}, 'LoadClipMasks, and PackRVOSInputs'),
    (LOAD, dict(data_samples=RVOSDataSample()), 'LoadClipMasks'),
])
def test_a_pipeline_of_a_later_stage_that_does_not_fit(pipeline, sample,
                                                       message):
    init_default_scope('mmrvos')
    runner = make_runner()
    runner.train_dataloader.dataset = Dataset(sample)
    hook = TrainingStagesHook([
        dict(stage='category', epochs=1),
        dict(stage='dense', epochs=1, pipeline=pipeline)
    ])
    with pytest.raises(ValueError, match=message):
        hook.before_train(runner)


def test_what_the_model_misses_in_a_later_stage_is_found_first():
    init_default_scope('mmrvos')
    runner = make_runner()
    make_hook().before_train(runner)
    assert runner.model.tried == [('category', 'loss', False),
                                  ('dense', 'loss', False),
                                  ('whole', 'loss', False)]
    runner = make_runner(error=ValueError('set all_objects=True'))
    with pytest.raises(ValueError, match='stage 3 of 3 .whole. computes no '
                       'loss of a sample.*: ValueError: set all_objects=True'):
        make_hook().before_train(runner)
    # stages that have ended before --resume
    runner = make_runner(epoch=1)
    make_hook().before_train(runner)
    assert [stage for stage, _, _ in runner.model.tried] == ['dense', 'whole']


def test_trying_a_stage_changes_no_state():
    """Of MTTR, which needs the masks of all objects in its last stages."""
    init_default_scope('mmrvos')
    cfg = Config.fromfile(CONFIGS / 'mttr/tiny_shapes.py')
    model = MODELS.build(cfg.model)
    before = copy.deepcopy(model.state_dict())
    inputs, samples = add_objects(make_batch()).values()
    stage = dict(stage='whole', pipeline=None)
    try_stage(model, [dict(inputs=inputs[0], data_samples=samples[0])], stage,
              'stage 4')
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    inputs, samples = make_batch().values()
    with pytest.raises(ValueError, match='stage 4 .*all_objects=True'):
        try_stage(model, [dict(inputs=inputs[0], data_samples=samples[0])],
                  stage, 'stage 4')
    assert model.training and model.stage == 'whole'


def test_a_stage_without_pipeline_keeps_the_last_one():
    """After --resume, too, when no earlier stage has run."""
    init_default_scope('mmrvos')
    runner = make_runner(epoch=2)
    hook = TrainingStagesHook([
        dict(stage='category', epochs=1, pipeline=LOAD),
        dict(stage='dense', epochs=1, pipeline=PACK),
        dict(stage='whole', epochs=1)
    ])
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    assert runner.train_dataloader.dataset.pipeline == PACK


def test_stages_that_max_epochs_changes_are_named():
    stages = make_hook().stages  # 1, 2 and 1 epochs
    assert not list(changed_lengths(stages, 4))
    assert [line[:48] for line in changed_lengths(stages, 2)] == [
        'Stage 2 (dense) has 1 of its 2 epochs, because m',
        'Stage 3 (whole) has 0 of its 1 epochs, because m']
    assert list(changed_lengths(stages, 9)) == [
        'Stage 3 (whole) has 5 epochs more than its 1, because max_epochs is '
        '9'
    ]


@pytest.mark.parametrize('change', [
    dict(epochs=-1), dict(epochs=0), dict(epochs=0.5), dict(epochs='2'),
    dict(frozen='backbone')
])
def test_wrong_values_of_a_stage(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        TrainingStagesHook([dict(stage='dense', epochs=1) | change])


def test_there_is_a_stage():
    with pytest.raises(ValueError, match='no stages'):
        TrainingStagesHook([])


def test_categories_need_labels():
    runner = make_runner()
    runner.train_dataloader.dataset.meta_file = None
    with pytest.raises(ValueError, match='dataset.meta_file'):
        make_hook().before_train(runner)


def test_every_stage_lasts_its_epochs_and_brings_its_data():
    init_default_scope('mmrvos')
    seen = []
    for epoch in range(6):  # each from anew, as after --resume
        runner = make_runner(epoch)
        hook = make_hook()
        hook.before_train(runner)
        hook.before_train_epoch(runner)
        seen.append((runner.model.stage,
                     runner.train_dataloader.dataset.pipeline))
    assert seen == [
        ('category', 'as configured'),
        ('dense', LOAD),
        ('dense', LOAD),
        ('whole', PACK),
        ('whole', PACK),
        ('whole', PACK),
    ]


def test_losses_of_an_ended_stage_are_not_logged_any_more():
    init_default_scope('mmrvos')
    hook, names = make_hook(), []
    for epoch in range(3):  # stages category, dense, dense
        runner = make_runner(epoch)
        for name in ('train/loss_category', 'train/d0.loss_cls', 'train/lr',
                     'val/loss'):
            runner.message_hub.update_scalar(name, 1.)
        hook.before_train_epoch(runner)
        names.append(list(runner.message_hub.log_scalars))
    kept = ['train/lr', 'val/loss']
    every = ['train/loss_category', 'train/d0.loss_cls', *kept]
    assert names == [every, kept, every]


@pytest.mark.parametrize('head', ['category_head', 'dense_head'])
def test_a_model_without_the_head_is_refused(head):
    with pytest.raises(ValueError, match=head):
        make_hook().before_train(make_runner(**{head: None}))


def test_several_data_sets_are_refused():
    runner = make_runner()
    runner.train_dataloader.dataset = ConcatDataset([[1]])
    with pytest.raises(ValueError, match='got ConcatDataset'):
        make_hook().before_train(runner)


def test_persistent_workers_are_refused():
    with pytest.raises(ValueError, match='persistent_workers'):
        make_hook().before_train(make_runner(persistent=True))


def test_a_stage_needs_a_known_name():
    with pytest.raises(ValueError, match="'sparse'"):
        TrainingStagesHook([dict(stage='sparse', epochs=1)])


@pytest.mark.parametrize('stage', [
    dict(stage='dense'),
    dict(stage='dense', epochs=1, pipline=LOAD),
])
def test_keys_of_a_stage(stage):
    with pytest.raises(ValueError, match='expected stage, epochs and'):
        TrainingStagesHook([stage])


def test_a_part_of_a_part_can_be_frozen():
    backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1))
    runner = make_runner(backbone=backbone)
    hook = TrainingStagesHook([
        dict(stage='dense', epochs=1, frozen=['backbone.0'])
    ])
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    assert [p.requires_grad for p in backbone.parameters()
            ] == [False, False, True, True]


def test_frozen_parts_stay_frozen():
    """No gradients, and norms keep their statistics, also in later stages."""
    init_default_scope('mmrvos')
    stages = [
        dict(stage='dense', epochs=1),
        dict(stage='dense', epochs=1, frozen=['backbone']),
        dict(stage='whole', epochs=1)
    ]
    for epoch, frozen in enumerate((False, True, True)):
        backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
        runner = make_runner(epoch, backbone=backbone)
        hook = TrainingStagesHook(stages)
        hook.before_train(runner)
        hook.before_train_epoch(runner)
        backbone.train()  # as the training loop does
        before = backbone[1].running_mean.clone()
        out = backbone(torch.rand(2, 3, 5, 5))
        assert out.requires_grad != frozen
        assert torch.equal(before, backbone[1].running_mean) == frozen
    with pytest.raises(ValueError, match="'bakbone'.*its parts are data_"):
        TrainingStagesHook([
            dict(stage='dense', epochs=1, frozen=['bakbone'])
        ]).before_train(make_runner())
