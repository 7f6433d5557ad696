import math
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub
from torch import nn

from mmrvos.engine import CheckFiniteHook

pytestmark = pytest.mark.filterwarnings('error')


@pytest.fixture
def runner():
    hub = MessageHub('test_check_finite_hook')
    hub.update_info('last_ckpt', 'work/epoch_2.pth')
    return SimpleNamespace(
        model=nn.Linear(2, 2),
        hooks=[],
        iter=24,
        epoch=2,
        message_hub=hub,
        optim_wrapper=SimpleNamespace(
            get_lr=lambda: dict(base_lr=[0.1, 0.01], lr=[0.5, 0.05])))


def finish_iteration(hook, runner, loss=1.):
    hook.after_train_iter(
        runner,
        0,
        outputs=dict(loss=torch.tensor(loss, requires_grad=True)))


@pytest.mark.parametrize('loss', [math.nan, math.inf])
def test_loss(runner, loss):
    hook = CheckFiniteHook()
    finish_iteration(hook, runner)
    with pytest.raises(FloatingPointError) as error:
        finish_iteration(hook, runner, loss)
    message = str(error.value)
    for fact in ('iteration 25', 'epoch 3', f'loss is {loss}', 'rate of 0.5',
                 'work/epoch_2.pth'):
        assert fact in message
    assert len(message.splitlines()) == 1


def test_gradients(runner):
    hook = CheckFiniteHook()
    runner.message_hub.update_scalar('train/grad_norm', 3.)
    finish_iteration(hook, runner)
    runner.message_hub.update_scalar('train/grad_norm', math.nan)
    with pytest.raises(FloatingPointError, match='grad_norm is nan'):
        finish_iteration(hook, runner)


def test_steps_that_a_loss_scale_skips(runner):
    runner.optim_wrapper.loss_scaler = SimpleNamespace(
        is_enabled=lambda: True)
    hook = CheckFiniteHook(patience=3)
    for loss in (math.inf, math.inf, 1., math.inf, math.inf):
        finish_iteration(hook, runner, loss)
    with pytest.raises(FloatingPointError, match='loss is inf'):
        finish_iteration(hook, runner, math.inf)


def test_weights_before_an_older_checkpoint_is_deleted(runner):
    hook = CheckFiniteHook()
    nn.init.constant_(runner.model.bias, math.nan)
    finish_iteration(hook, runner)
    with pytest.raises(FloatingPointError, match="'bias' is not finite"):
        hook.after_train_epoch(runner)
    # a checkpoint after this iteration
    runner.hooks = [CheckpointHook(interval=25, by_epoch=False)]
    with pytest.raises(FloatingPointError, match="'bias' is not finite"):
        finish_iteration(hook, runner)


@pytest.mark.parametrize('name', ['state_dict', 'ema_state_dict'])
def test_weights_of_a_checkpoint(runner, name):
    hook = CheckFiniteHook()
    weights = dict(steps=torch.tensor(3), weight=torch.tensor([1., math.inf]))
    with pytest.raises(FloatingPointError, match="'weight' is not finite"):
        hook.before_save_checkpoint(runner, {name: weights})
