import ctypes
import signal
import sys
from urllib.error import URLError

import torch
import torch.distributed as torch_dist
from mmengine.dataset import worker_init_fn
from mmengine.dist import is_distributed
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmrvos.utils import load_weights, read_checkpoint


class RVOSRunner(Runner):
    """MMEngine's Runner with two habits changed.

    - A checkpoint is loaded strictly (``Runner`` warns and evaluates random
      weights) and without running code from it. ``load_cfg.drop`` in the
      config lists keys of ``load_from`` that are meant to be left out.
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
            super()._init_model_weights()
        except URLError as error:
            raise OSError(
                'pretrained weights cannot be downloaded from here '
                f'({error.reason}): fetch them where there is a network and '
                'pass --cfg-options model.backbone.init_cfg.checkpoint=FILE, '
                'or start from random weights with '
                'model.backbone.init_cfg=None') from None

    def load_checkpoint(self,
                        filename: str,
                        map_location: str = 'cpu') -> dict:
        """Load a checkpoint strictly.

        Raises:
            FileNotFoundError, ValueError: it is missing or unreadable.
            CheckpointMismatch: its keys are not the model's.
        """
        checkpoint = read_checkpoint(filename, map_location=map_location)
        model = bare_model(self.model)
        # A resumed training is whole: nothing is dropped.
        load_cfg = self.cfg.get('load_cfg') or {}
        drop = [] if self._resume else load_cfg.get('drop', [])
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        load_weights(model, checkpoint['state_dict'], drop, source=filename)
        self._has_loaded = True
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint


def bare_model(model: nn.Module) -> nn.Module:
    """The model inside its wrapper for several processes, if it has one."""
    return model.module if is_model_wrapper(model) else model


def die_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it ends."""
    if sys.platform == 'linux':
        set_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
