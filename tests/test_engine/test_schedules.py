"""A schedule that is longer than its training is a line in the log."""
from logging import INFO, WARNING

import pytest
from mmengine.config import Config

from mmrvos.engine.schedules import cut_schedules

from ..config_values import leaf_configs, name_of
from .test_runner_checkpoints import runner

WARM_UP = dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=100)
DECAY = dict(type='PolyLR', begin=30, end=100, convert_to_iter_based=True)
STEPS = dict(type='MultiStepLR', milestones=[3, 5])


@pytest.mark.parametrize('scheduler, level, fault', [
    (WARM_UP, WARNING, 'LinearLR ends at iteration 100, this training has 20'),
    (DECAY, WARNING, 'PolyLR begins at epoch 30, this training has 10'),
    (dict(DECAY, begin=0), INFO,
     'PolyLR ends at epoch 100, this training has 10'),
    (dict(STEPS, milestones=[9, 11, 12]), WARNING,
     'MultiStepLR has milestones at epoch 11, 12, this training has 10'),
])
def test_what_is_after_the_end(scheduler, level, fault):
    advice = '. Change it, or the length of the training (train_cfg)'
    for i, schedulers in enumerate((scheduler, [STEPS, scheduler])):
        assert list(cut_schedules(schedulers, 10, 20)) == [
            (level, f'param_scheduler.{i}: {fault}{advice}')]


@pytest.mark.parametrize('scheduler', [
    dict(WARM_UP, end=20),
    dict(DECAY, begin=9, end=10),
    dict(STEPS, milestones=[10]),
    dict(STEPS, milestones=[60000], by_epoch=False),
    dict(type='ConstantLR', factor=1.),
])
def test_what_is_at_the_end(scheduler):
    assert list(cut_schedules(scheduler, 10, 20)) == []


@pytest.mark.parametrize('path', leaf_configs(), ids=name_of)
def test_own_configs_have_no_warning(path):
    cfg = Config.fromfile(path)
    epochs = cfg.get('train_cfg', {}).get('max_epochs', 0)
    # an epoch of the tiny configs has 60 steps and more
    levels = [level for level, _ in cut_schedules(
        cfg.get('param_scheduler'), epochs, 60 * epochs)]
    assert WARNING not in levels


def test_a_new_training_warns_and_a_resumed_one_does_not(tmp_path, caplog):
    options = dict(epochs=2, param_scheduler=[STEPS, WARM_UP])
    begun = runner(tmp_path, **options)
    begun.logger.addHandler(caplog.handler)
    begun.train()
    lines = list(cut_schedules([STEPS, WARM_UP], epochs=2, iterations=4))
    assert len(lines) == 2
    assert [(r.levelno, r.getMessage()) for r in caplog.records
            if 'param_scheduler' in r.getMessage()] == lines
    caplog.clear()
    resumed = runner(tmp_path, **options, resume=True,
                     load_from=str(tmp_path / 'epoch_1.pth'))
    resumed.logger.addHandler(caplog.handler)
    resumed.train()
    assert caplog.records
    assert 'this training has' not in caplog.text
