import random
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from mmengine.dist import broadcast_object_list, get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import get_worker_info

from mmrvos.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed Python, NumPy and torch from (seed, rank, epoch) at each epoch.

    The random numbers of an epoch then do not depend on earlier epochs: each
    epoch draws other clips and augmentations, and a resumed training draws
    what an uninterrupted one draws, also inside the model (dropout).

    Workers of the data loader are covered as well. Workers started anew in an
    epoch take their seed from the main process, in torch. Persistent workers
    are seeded here at their first batch of an epoch, from (seed, rank, epoch,
    worker). For exact resuming the number of workers must stay the same.

    The order of samples follows the same seed, unless the config sets
    ``train_dataloader.sampler.seed``. In iteration-based training, which
    MMEngine treats as one epoch, numbers are seeded once.
    """

    # after hooks that may draw random numbers before the epoch
    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.seed = 0
        # in shared memory, because persistent workers read it; -1: no epoch
        self.epoch = torch.full((), -1).share_memory_()

    def before_train(self, runner: Runner) -> None:
        # with diff_rank_seed, runner.seed differs in each process
        seeds = [runner.seed]
        broadcast_object_list(seeds)
        self.seed, = seeds
        loader = runner.train_dataloader
        sampler = loader.batch_sampler.sampler
        configured = runner.cfg.train_dataloader.get('sampler') or {}
        if hasattr(sampler, 'seed') and 'seed' not in configured:
            # MMEngine drew it before it read the seed of a resumed training
            sampler.seed = self.seed
        if loader.persistent_workers:
            loader.worker_init_fn = partial(
                self.prepare_worker,
                rank=get_rank(),
                worker_init_fn=loader.worker_init_fn)

    def before_train_epoch(self, runner: Runner) -> None:
        self.epoch.fill_(runner.epoch)
        seed_all(self.seed, get_rank(), runner.epoch)

    def prepare_worker(self, worker_id: int, rank: int,
                       worker_init_fn: Callable | None) -> None:
        """Initialise a persistent worker: it seeds itself in each epoch.

        Args:
            worker_id: number of the worker, from 0.
            rank: of the process that started the worker.
            worker_init_fn: that of the config, if any; called first.
        """
        if worker_init_fn is not None:
            worker_init_fn(worker_id)
        dataset = get_worker_info().dataset  # this worker's own copy
        fetch = getattr(dataset, '__getitems__', None) or (
            lambda indices: [dataset[i] for i in indices])
        seeded = -1

        def seed_and_fetch(indices: list[int]) -> list:
            nonlocal seeded
            epoch = int(self.epoch)
            if epoch != seeded:
                seed_all(self.seed, rank, epoch, worker_id)
                seeded = epoch
            return fetch(indices)

        # torch fetches batches by this method where a data set has it
        dataset.__getitems__ = seed_and_fetch


def seed_all(*numbers: int) -> None:
    """Seed Python, NumPy and torch (all devices) from some numbers."""
    state = np.random.SeedSequence(numbers).generate_state(3)
    random.seed(int(state[0]))
    np.random.seed(state[1])  # noqa: NPY002
    torch.manual_seed(int(state[2]))
