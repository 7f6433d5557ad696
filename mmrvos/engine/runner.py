import copy
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import worker_init_fn
from mmengine.device import get_device
from mmengine.dist import is_distributed, is_main_process, master_only
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from mmrvos.utils import (
    find_checkpoint,
    fitted_weights,
    pack,
    read_checkpoint,
    strict_init,
    weights_from_checkpoint,
)
from mmrvos.utils.unfinished import (
    only_process_in,
    remove_partial_files,
    replacing,
)

from .build_errors import naming_keys
from .console import shorten_console
from .distributed import die_with_parent, init_gloo
from .resuming import prepare_resume
from .schedules import cut_schedules


class RVOSRunner(Runner):
    """MMEngine's Runner, with checks before the work.

    - A checkpoint is loaded strictly (``Runner`` warns and evaluates random
      weights) and without running code from it. ``load_cfg.drop`` in the
      config lists keys of ``load_from`` to leave out. What is saved is plain
      data, which ``torch.load`` reads with ``weights_only=True``.
    - An error about a part that cannot be built names its key of the config.
    - A training can be resumed with another number of processes.
    - Workers of data loaders take their seed from torch, see
      :class:`EpochSeedHook`.
    - ``launcher='pytorch'`` also works on a machine without GPU, over gloo.
      The processes end with their launcher, also when it is killed: otherwise
      they would write checkpoints into the folder of a resumed training.
    """

    @classmethod
    def from_cfg(cls, cfg: Config) -> 'RVOSRunner':
        with naming_keys(cfg):
            return super().from_cfg(cfg)

    def train(self) -> nn.Module:
        """Train, as the only training in the work dir.

        Raises:
            BlockingIOError: another training writes into it.
        """
        with ExitStack() as stack:
            stack.enter_context(naming_keys(self.cfg))
            if is_main_process():
                stack.enter_context(
                    only_process_in(self.work_dir, '.training.lock',
                                    'a training'))
                remove_partial_files(self.work_dir)
            return super().train()

    def setup_env(self, env_cfg: dict) -> None:
        on_cpu = self.distributed and not torch.cuda.is_available()
        if on_cpu and not is_distributed():
            if self.launcher != 'pytorch':
                raise ValueError(
                    f'launcher {self.launcher!r} needs a GPU in every '
                    "process; without one use launcher 'pytorch' "
                    '(tools/dist_train.sh)')
            # MMEngine asks for a CUDA device first
            init_gloo()
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
        if isinstance(dataloader, Mapping) and not dataloader.get(
                'num_workers'):
            # options of workers, which torch refuses without workers
            dataloader = {
                key: value
                for key, value in dataloader.items()
                if key not in ('persistent_workers', 'prefetch_factor',
                               'timeout', 'multiprocessing_context')
            }
        loader = Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        if getattr(loader.worker_init_fn, 'func', None) is worker_init_fn:
            loader.worker_init_fn = None
        return loader

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the logger; its console shows no config of 700 lines."""
        logger = super().build_logger(*args, **kwargs)
        shorten_console(logger)
        return logger

    def build_model(self, model: nn.Module | dict) -> nn.Module:
        """Build the model, without weights that ``load_from`` replaces."""
        if not self._load_from or isinstance(model, nn.Module):
            return super().build_model(model)
        light = copy.deepcopy(model)
        weights_from_checkpoint(light)
        built = super().build_model(light)
        drop = (self.cfg.get('load_cfg') or {}).get('drop', ())
        kept = [
            key for key in built.state_dict()
            if any(re.search(pattern, key) for pattern in drop)
        ]
        lighter = [name for name in model if light[name] != model[name]]
        if any(key.startswith(f'{name}.') for key in kept for name in lighter):
            return super().build_model(model)
        return built

    def build_evaluator(self, evaluator: Any) -> Evaluator:
        """Build an evaluator, after the data set that it evaluates.

        Raises:
            FileNotFoundError: the ``data_root`` of a metric is missing.
        """
        evaluator = super().build_evaluator(evaluator)
        for metric in evaluator.metrics:
            root = getattr(metric, 'data_root', None)
            if root is not None and not Path(root).is_dir():
                raise FileNotFoundError(
                    f'{root} is missing: the evaluator '
                    f'{type(metric).__name__} has it as data_root. '
                    '--cfg-options data_root=DIR sets the folder of loaders '
                    'and evaluators')
        return evaluator

    def build_train_loop(self, loop: BaseLoop | dict) -> BaseLoop:
        """Build the training loop.

        Raises:
            ValueError: the data set is too small for a single step.
        """
        loop = super().build_train_loop(loop)
        loader = loop.dataloader
        if not len(loader):
            raise ValueError(
                'an epoch of training would have no step: train_dataloader '
                f'has batch_size={loader.batch_size} with drop_last=True, and '
                f'{len(loader.sampler)} samples per process (data set: '
                f'{len(loader.dataset)}, processes: {self.world_size}). Lower '
                'train_dataloader.batch_size')
        return loop

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build schedulers; warn about those that a new training cuts."""
        if isinstance(self._train_loop, BaseLoop) and not self._resume:
            for level, line in cut_schedules(scheduler, self.max_epochs,
                                             self.max_iters):
                self.logger.log(level, line)
        return super().build_param_scheduler(scheduler)

    def wrap_model(self, model_wrapper_cfg: dict | None,
                   model: nn.Module) -> nn.Module:
        if self.distributed and not any(
                p.requires_grad for p in model.parameters()):
            # nothing to synchronise, which PyTorch's wrapper refuses
            return model.to(get_device())
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

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Resume a training, also with another number of processes.

        The number of steps per epoch may then differ. Progress is counted in
        epochs, and the learning rate becomes that of an uninterrupted
        training with this config. An epoch that a checkpoint was saved within
        starts again.
        """
        self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
        rates = [
            group.get('initial_lr', group['lr'])
            for group in self.optim_wrapper.param_groups
        ]
        super().resume(filename, *args, **kwargs)
        loop, steps = self.train_loop, len(self.train_dataloader)
        begun = loop.epoch
        if isinstance(loop, EpochBasedTrainLoop):
            # A checkpoint of the last step of an epoch does not count it.
            if before := steps_per_epoch(self.message_hub.runtime_info):
                loop._epoch = loop.iter // before
            done, end, unit = loop.epoch, loop.max_epochs, 'epochs'
        else:
            done, end, unit = loop.iter, loop.max_iters, 'iters'
        if done >= end:
            self.logger.warning(
                f'{filename} is from the end of a training of {done} {unit}, '
                f'so nothing is left to train: raise train_cfg.max_{unit} to '
                'go on')
        if unit == 'iters' or (begun, loop.iter) == (done, done * steps):
            return
        self.logger.info(
            f'{filename} was saved after {loop.iter} steps: training goes on '
            f'after {done} epochs of {steps} steps, with their learning rate')
        loop._iter = loop.epoch * steps
        for group, rate in zip(
                self.optim_wrapper.param_groups, rates, strict=True):
            group['lr'] = group['initial_lr'] = rate
        if self.param_schedulers is None:
            return
        self.param_schedulers = schedulers = self.build_param_scheduler(
            copy.deepcopy(self.cfg.param_scheduler))
        for _ in range(loop.epoch):
            for by_epoch, count in ((False, steps), (True, 1)):
                for _ in range(count):
                    for scheduler in schedulers:
                        if scheduler.by_epoch == by_epoch:
                            scheduler.step()

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
            model, checkpoint['state_dict'], drop, filename,
            checkpoint.get('meta'))
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        model.load_state_dict(checkpoint['state_dict'])
        self._has_loaded = True
        found = filename if '://' in filename else find_checkpoint(filename)
        self.logger.info(f'Load checkpoint from {found}')
        return checkpoint

    @master_only
    def save_checkpoint(self, out_dir: str, filename: str, *args: Any,
                        **kwargs: Any) -> None:
        """Save a checkpoint; the file appears when it is complete.

        Raises:
            OSError: it cannot be written, the disk is full for example.
        """
        cfg = self.cfg
        # MMEngine writes the text of the config, which call_hook replaces:
        # formatting it takes longer than the rest, and loses Ctrl-C.
        self.cfg = Config(cfg.to_dict(), format_python_code=False)
        try:
            with replacing(Path(out_dir, filename)) as partial:
                super().save_checkpoint(out_dir, partial.name, *args,
                                        **kwargs)
        finally:
            self.cfg = cfg

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Call all hooks; a checkpoint to save becomes plain data after them.
        """
        super().call_hook(fn_name, **kwargs)
        if fn_name == 'before_save_checkpoint':
            checkpoint = kwargs['checkpoint']
            # the text in its place would be a program
            checkpoint['meta']['cfg'] = self.cfg.to_dict()
            packed = pack(checkpoint)
            checkpoint.clear()
            checkpoint.update(packed)


def steps_per_epoch(info: Mapping[str, Any]) -> int | None:
    """Return the steps per epoch of a training.

    Args:
        info: ``runtime_info`` of its message hub.
    """
    epochs, steps = info.get('max_epochs'), info.get('max_iters')
    return steps // epochs if epochs and steps else None


def bare_model(model: nn.Module) -> nn.Module:
    """The model inside its wrapper for several processes, if it has one."""
    return model.module if is_model_wrapper(model) else model
