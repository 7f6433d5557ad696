import ctypes
import signal
import sys
from typing import Any

import torch
import torch.distributed as torch_dist
from mmengine.dataset import worker_init_fn
from mmengine.dist import is_distributed
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmrvos.utils import (
    fitted_weights,
    pack,
    read_checkpoint,
    strict_init,
    unpack_history,
)


class RVOSRunner(Runner):
    """MMEngine's Runner with two habits changed.

    - A checkpoint is loaded strictly (``Runner`` warns and evaluates random
      weights) and without running code from it. ``load_cfg.drop`` in the
      config lists keys of ``load_from`` that are meant to be left out. What
      is saved is plain data, which ``torch.load`` reads with
      ``weights_only=True``.
    - ``launcher='pytorch'`` also works on a machine without GPU: the
      processes meet over gloo. They end with their launcher, also when it is
      killed: orphans would go on writing checkpoints beside a resumed run.
    """

    def setup_env(self, env_cfg: dict) -> None:
        on_cpu = self.distributed and not torch.cuda.is_available()
        if on_cpu and not is_distributed():
            if self.launcher != 'pytorch':
                raise ValueError(
                    f'launcher {self.launcher!r} needs a GPU in every '
                    "process; without one use launcher 'pytorch' "
                    '(tools/dist_train.sh)')
            # MMEngine would ask for a CUDA device first
            torch_dist.init_process_group('gloo')
        if self.launcher == 'pytorch':
            die_with_parent()
        super().setup_env(env_cfg)

    @staticmethod
    def build_dataloader(dataloader: DataLoader | dict,
                         seed: int | None = None,
                         diff_rank_seed: bool = False) -> DataLoader:
        """Build a data loader whose workers are seeded by torch.

        MMEngine seeds all workers from the same number in each epoch, so that
        each epoch repeats the random numbers of the first. torch seeds them
        from the random state of the main process (:class:`EpochSeedHook`).
        """
        loader = Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        if getattr(loader.worker_init_fn, 'func', None) is worker_init_fn:
            loader.worker_init_fn = None
        return loader

    def wrap_model(self, model_wrapper_cfg: dict | None,
                   model: nn.Module) -> nn.Module:
        if (self.distributed and model_wrapper_cfg is None
                and not torch.cuda.is_available()):
            # modules on the CPU take no device ids, which MMEngine passes
            return MMDistributedDataParallel(
                module=model,
                broadcast_buffers=False,
                find_unused_parameters=self.cfg.get('find_unused_parameters',
                                                    False))
        return super().wrap_model(model_wrapper_cfg, model)

    def _init_model_weights(self) -> None:
        try:
            with strict_init(bare_model(self.model)):
                super()._init_model_weights()
        except OSError as error:
            raise OSError(
                f'{error}. The pretrained weights of a model are set by '
                '--cfg-options model.backbone.init_cfg.checkpoint=FILE; '
                'model.backbone.init_cfg=None starts from random '
                'weights') from None

    def load_checkpoint(self,
                        filename: str,
                        map_location: str = 'cpu') -> dict:
        """Load a checkpoint strictly.

        Raises:
            FileNotFoundError, ValueError: the file is missing or unreadable,
                or a training cannot be resumed from it.
            CheckpointMismatch: the keys are not those of the model.
        """
        checkpoint = read_checkpoint(filename, map_location=map_location)
        model = bare_model(self.model)
        load_cfg = self.cfg.get('load_cfg') or {}
        drop = load_cfg.get('drop', [])
        if self._resume:
            prepare_resume(checkpoint, model, filename)
            drop = []  # a resumed training is whole
        # Hooks such as EMAHook load these weights too: they get a value for
        # every key, under the model's own names.
        checkpoint['state_dict'] = fitted_weights(
            model, checkpoint['state_dict'], drop, filename)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        model.load_state_dict(checkpoint['state_dict'])
        self._has_loaded = True
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint


    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Call all hooks; a checkpoint to save becomes plain data after them.
        """
        super().call_hook(fn_name, **kwargs)
        if fn_name == 'before_save_checkpoint':
            checkpoint = kwargs['checkpoint']
            # the text in its place would be a program
            checkpoint['meta']['cfg'] = self.cfg.to_dict()
            for key, value in checkpoint.items():
                checkpoint[key] = pack(value, key)


def prepare_resume(checkpoint: dict, model: nn.Module, source: str) -> None:
    """Check that a training can be resumed from a checkpoint.

    The log history becomes that of MMEngine again. A config text in
    ``meta.config``, which MMEngine would run, is removed.

    Raises:
        ValueError: a part is missing.
        CheckpointMismatch: the averaged weights do not fit the model.
    """
    try:
        meta, hub, _ = (
            checkpoint[k] for k in ('meta', 'message_hub', 'optimizer'))
        meta.pop('config', None)
        meta['epoch'] + meta['iter']
        hub['log_scalars'] = {
            name: unpack_history(packed)
            for name, packed in hub['log_scalars'].items()
        }
    except (KeyError, TypeError, AttributeError, AssertionError) as error:
        raise ValueError(
            f'{source} is not the state of a training (wrong or missing: '
            f'{error}), so none can be resumed from it. To start a training '
            'from its weights, set load_from') from None
    if 'ema_state_dict' in checkpoint:
        averaged = dict(checkpoint['ema_state_dict'])
        averaged.pop('steps', None)  # the counter of MMEngine's averaged model
        fitted_weights(model, averaged, source=f'ema_state_dict of {source}')


def bare_model(model: nn.Module) -> nn.Module:
    """The model inside its wrapper for several processes, if it has one."""
    return model.module if is_model_wrapper(model) else model


def die_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it ends."""
    if sys.platform == 'linux':
        set_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
