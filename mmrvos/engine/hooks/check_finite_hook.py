import math
from collections.abc import Mapping
from typing import NoReturn

import torch
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner
from torch import Tensor

from mmrvos.registry import HOOKS

from ..runner import bare_model


@HOOKS.register_module()
class CheckFiniteHook(Hook):
    """Stop a training that diverges, before it saves useless weights.

    Checks the loss and the norm of the gradients (where ``clip_grad`` logs
    it) in each iteration, and the weights before each checkpoint. The last
    checkpoint stays.

    Args:
        patience: stop after this number of iterations in a row whose loss is
            not finite, in mixed precision with a loss scale, which skips such
            steps. Without a loss scale the first one stops the training.

    Raises:
        FloatingPointError: by the checks; names iteration, value and
            learning rate.
    """

    # before CheckpointHook, which deletes an old checkpoint before it saves
    priority = 'LOW'

    def __init__(self, patience: int = 20) -> None:
        self.patience = patience
        self.count = 0

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        loss = torch.as_tensor((outputs or {}).get('loss', 0.))
        values = dict(loss=loss.item())
        scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
        is_scaled = scaler is not None and scaler.is_enabled()
        norms = runner.message_hub.log_scalars.get('train/grad_norm')
        if norms is not None and not is_scaled:
            values['grad_norm'] = norms.current()
        wrong = {k: v for k, v in values.items() if not math.isfinite(v)}
        self.count = self.count + 1 if wrong else 0
        if self.count >= (self.patience if is_scaled else 1):
            reason = ' and '.join(f'{k} is {v}' for k, v in wrong.items())
            stop(runner, reason, runner.iter + 1)
        if any(
                isinstance(hook, CheckpointHook) and not hook.by_epoch
                and self.every_n_train_iters(runner, hook.interval)
                for hook in runner.hooks):
            check_weights(runner,
                          bare_model(runner.model).state_dict(),
                          runner.iter + 1)

    # from here on runner.iter counts the last iteration

    def after_train_epoch(self, runner: Runner) -> None:
        check_weights(runner,
                      bare_model(runner.model).state_dict(), runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        for name in ('state_dict', 'ema_state_dict'):
            check_weights(runner, checkpoint.get(name, {}), runner.iter)


def check_weights(runner: Runner, weights: Mapping[str, Tensor],
                  iteration: int) -> None:
    """Stop if a weight is not finite."""
    for name, value in weights.items():
        if (torch.is_tensor(value) and value.is_floating_point()
                and not value.isfinite().all()):
            stop(runner, f'the weight {name!r} is not finite', iteration)


def stop(runner: Runner, reason: str, iteration: int) -> NoReturn:
    """Raise an error that says where the training stopped and why."""
    rates = [rate for group in runner.optim_wrapper.get_lr().values()
             for rate in group]
    saved = runner.message_hub.runtime_info.get('last_ckpt')
    last = f'last checkpoint: {saved}' if saved else 'no earlier checkpoint'
    raise FloatingPointError(
        f'training stopped in iteration {iteration} (epoch {runner.epoch + 1})'
        f': {reason}, with a learning rate of {max(rates):.4g}. The weights '
        f'are not saved; {last}. Lower optim_wrapper.optimizer.lr, or set '
        'optim_wrapper.clip_grad')
