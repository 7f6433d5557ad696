from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from torch import nn

from mmrvos.engine.hooks import TrainingStagesHook

LOAD = [dict(type='LoadFrames')]
PACK = [dict(type='PackRVOSInputs')]


def make_runner(epoch=0, persistent=False, **heads):
    model = SimpleNamespace(
        **(dict(category_head=object(), dense_head=object()) | heads))
    loader = SimpleNamespace(
        dataset=SimpleNamespace(pipeline='as configured'),
        persistent_workers=persistent)
    return SimpleNamespace(
        model=model,
        train_dataloader=loader,
        epoch=epoch,
        message_hub=MessageHub('stages'))


def make_hook():
    return TrainingStagesHook([
        dict(stage='category', epochs=1),
        dict(stage='dense', epochs=2, pipeline=LOAD),
        dict(stage='whole', epochs=1, pipeline=PACK)
    ])


def test_pipelines_of_all_stages_are_checked_first():
    runner, checked = make_runner(), []
    runner.train_dataloader.dataset.check_pipeline = checked.append
    make_hook().before_train(runner)
    assert checked == [(), LOAD, PACK]


def test_every_stage_lasts_its_epochs_and_brings_its_data():
    init_default_scope('mmrvos')
    seen = []
    for epoch in range(6):  # each from anew, as after --resume
        runner = make_runner(epoch)
        hook = make_hook()
        hook.before_train(runner)
        hook.before_train_epoch(runner)
        pipeline = runner.train_dataloader.dataset.pipeline
        if pipeline != 'as configured':
            pipeline = type(pipeline.transforms[0]).__name__
        seen.append((runner.model.stage, pipeline))
    assert seen == [
        ('category', 'as configured'),
        ('dense', 'LoadFrames'),
        ('dense', 'LoadFrames'),
        ('whole', 'PackRVOSInputs'),
        ('whole', 'PackRVOSInputs'),
        ('whole', 'PackRVOSInputs'),
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
    with pytest.raises(ValueError, match="'bakbone'"):
        TrainingStagesHook([
            dict(stage='dense', epochs=1, frozen=['bakbone'])
        ]).before_train(make_runner())
