import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler

from mmrvos.engine import EpochSeedHook, RVOSRunner


class RandomNumbers(torch.utils.data.Dataset):
    """Each sample is a number of each generator."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple:
        return (index, random.random(), np.random.rand(),  # noqa: NPY002
                torch.rand(()).item())


def train(epochs, start: int = 0, sampler=None, **loader) -> list[list]:
    """What each epoch draws, after other numbers were drawn."""
    config = dict(
        dataset=RandomNumbers(),
        batch_size=2,
        sampler=dict(type=DefaultSampler, **(sampler or {})),
        collate_fn=dict(type=list),
        **loader)
    runner = SimpleNamespace(
        seed=3,
        cfg=SimpleNamespace(train_dataloader=config),
        train_dataloader=RVOSRunner.build_dataloader(config, seed=start))
    hook = EpochSeedHook()
    hook.before_train(runner)
    drawn = []
    for runner.epoch in range(start, epochs):
        random.random()
        np.random.rand()  # noqa: NPY002
        torch.rand(1 + start)
        hook.before_train_epoch(runner)
        drawn.append([list(batch) for batch in runner.train_dataloader])
    return drawn


@pytest.mark.parametrize('loader', [
    dict(num_workers=0),
    dict(num_workers=2),
    dict(num_workers=2, persistent_workers=True),
], ids=['main process', 'workers', 'persistent workers'])
def test_epochs_differ_and_are_repeatable(loader):
    drawn = train(3, **loader)
    numbers = [
        number for epoch in drawn for batch in epoch for sample in batch
        for number in sample[1:]
    ]
    assert len(set(numbers)) == 3 * 8 * 3
    resumed = train(3, start=1, **loader)
    assert resumed == drawn[1:]


def test_order_follows_the_seed_unless_the_config_has_one():
    def order(**options):
        return [sample[0] for epoch in train(1, num_workers=0, **options)
                for batch in epoch for sample in batch]

    assert order() == order()
    assert order(sampler=dict(seed=11)) != order()


def test_ranks_draw_differently(monkeypatch):
    seen = []
    for rank in (0, 1):
        monkeypatch.setattr('mmrvos.engine.hooks.epoch_seed_hook.get_rank',
                            lambda rank=rank: rank)
        seen.append(train(1, num_workers=0))
    assert seen[0] != seen[1]
