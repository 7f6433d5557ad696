import copy
import logging
from collections.abc import Iterator, Mapping, Sequence

import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from mmengine.logging import MessageHub, print_log
from mmengine.runner import Runner
from torch import nn

from mmrvos.datasets import BaseRVOSDataset
from mmrvos.registry import HOOKS

from ..runner import bare_model

HEADS = dict(
    category='category_head',
    dense='dense_head',
    motion='motion_head',
    words='word_head')
STAGE_KEYS = {'stage', 'epochs', 'pipeline', 'frozen'}


@HOOKS.register_module()
class TrainingStagesHook(Hook):
    """Train from scratch in stages, each with a training pipeline of its own.

    Stage 'category' trains the backbone on object categories, 'dense' adds
    the text encoder and the fusion and trains the dense mask head, 'whole'
    trains the complete method. Stages 'motion' and 'words' train the map
    without language and words on single frames, see :class:`MotionTraining`.
    A step of an early stage costs less than a step of the complete method.

    Parameters that a stage does not use get no gradient, so distributed
    training needs ``find_unused_parameters=True``.

    Args:
        stages: dicts in the order of training, with the keys ``stage`` (a
            name from above), ``epochs`` and, optionally, ``pipeline`` (of the
            training data set; without it, that of the stage before) and
            ``frozen`` (names of parts, for example 'backbone' or
            'backbone.layer1', that this and all later stages do not train;
            their norms keep their statistics). ``max_epochs`` of the training
            can cut the stages; the last one lasts until training ends.

    Raises:
        ValueError: a stage is unknown, has no epochs or a pipeline that loads
            no sample that the model can learn from, the model lacks a part,
            or the data loader has persistent workers, which would keep the
            first pipeline. All stages to come are tried on a sample before
            training.
    """

    def __init__(self, stages: Sequence[dict]) -> None:
        if not stages:
            raise ValueError('TrainingStagesHook got no stages')
        pipeline = None
        self.running: dict | None = None
        self.stages = []
        for stage in stages:
            if not {'stage', 'epochs'} <= set(stage) <= STAGE_KEYS:
                raise ValueError(
                    f'TrainingStagesHook got a stage with the keys '
                    f'{sorted(stage)}, expected stage, epochs and, '
                    'optionally, pipeline and frozen')
            if stage['stage'] not in (*HEADS, 'whole'):
                raise ValueError(
                    f'TrainingStagesHook got stage {stage["stage"]!r}, '
                    f'expected one of {[*HEADS, "whole"]}')
            epochs, frozen = stage['epochs'], stage.get('frozen', [])
            if type(epochs) is not int or epochs < 1:
                raise ValueError(f'stage {stage["stage"]!r} has '
                                 f'epochs={epochs!r}, expected a whole '
                                 'number of 1 or more')
            if isinstance(frozen, str):
                raise ValueError(f'stage {stage["stage"]!r} has '
                                 f'frozen={frozen!r}, expected a list')
            pipeline = stage.get('pipeline') or pipeline
            self.stages.append(dict(stage, pipeline=pipeline, frozen=frozen))

    def current(self, epoch: int) -> dict:
        """Return the stage of an epoch (counted from 0)."""
        for stage in self.stages:
            if epoch < stage['epochs']:
                return stage
            epoch -= stage['epochs']
        return self.stages[-1]

    def before_train(self, runner: Runner) -> None:
        model = bare_model(runner.model)
        dataset = runner.train_dataloader.dataset
        if getattr(runner.train_dataloader, 'persistent_workers', False):
            raise ValueError(
                'TrainingStagesHook changes the pipeline between epochs, but '
                'persistent workers keep their first pipeline: set '
                'train_dataloader.persistent_workers=False')
        if not hasattr(dataset, 'set_pipeline'):
            raise ValueError(
                'TrainingStagesHook changes the pipeline of one data set of '
                f'mmrvos, got {type(dataset).__name__}')
        modules = dict(model.named_modules())
        for stage in self.stages:
            check_parts(stage, model, dataset, modules)
        ended = self.stages.index(self.current(runner.epoch))
        for number, stage in enumerate(self.stages[ended:], ended + 1):
            try_stage(
                model, dataset, stage,
                f'stage {number} of {len(self.stages)} ({stage["stage"]})')
        for line in changed_lengths(self.stages, runner.max_epochs):
            print_log(line, 'current', logging.WARNING)

    def before_train_epoch(self, runner: Runner) -> None:
        stage = self.current(runner.epoch)
        if runner.epoch and stage is not self.current(runner.epoch - 1):
            forget_losses(runner.message_hub)
        if stage is not self.running:
            self.running = stage
            print_log(
                f'Stage {self.stages.index(stage) + 1} of '
                f'{len(self.stages)}: {stage["stage"]}', 'current')
        model = bare_model(runner.model)
        model.stage = stage['stage']
        for earlier in self.stages:
            for part in earlier['frozen']:
                freeze(model.get_submodule(part))
            if earlier is stage:
                break
        if stage['pipeline'] is not None:
            runner.train_dataloader.dataset.set_pipeline(stage['pipeline'])


def check_parts(stage: dict, model: nn.Module, dataset: BaseRVOSDataset,
                modules: Mapping[str, nn.Module]) -> None:
    """Check that a model and a data set have what a stage needs.

    Args:
        modules: of the model, by name.

    Raises:
        ValueError: they lack a part.
    """
    name = stage['stage']
    head = HEADS.get(name)
    if head is not None and getattr(model, head, None) is None:
        raise ValueError(
            f'stage {name!r} needs a model with a {head}: add one if '
            f'{type(model).__name__} has this option, or remove the stage '
            'from TrainingStagesHook')
    if name == 'category' and getattr(dataset, 'meta_file', '') is None:
        raise ValueError(
            "stage 'category' needs the categories of the objects: set "
            'train_dataloader.dataset.meta_file, or remove the stage from '
            'TrainingStagesHook')
    for part in stage['frozen']:
        if part not in modules:
            raise ValueError(
                f'stage {name!r} freezes {part!r}, which '
                f'{type(model).__name__} does not have; its parts are '
                f'{", ".join(n for n, _ in model.named_children())}')


def try_stage(model: nn.Module, dataset: BaseRVOSDataset, stage: dict,
              place: str) -> None:
    """Compute the losses of a sample in a stage, which may start hours later.

    The model is in evaluation mode, so that it does not change; losses that
    it has in training only are not tried.

    Args:
        place: the stage in messages.

    Raises:
        ValueError: the pipeline fails, its sample has no masks, or the model
            computes no losses from it.
    """
    dataset = copy.copy(dataset)
    try:
        if stage['pipeline'] is not None:
            dataset.set_pipeline(stage['pipeline'])
        sample = dataset[0]
    except Exception as error:
        raise ValueError(
            f'the pipeline of {place} loads no sample: '
            f'{type(error).__name__}: {error}') from error
    if stage['pipeline'] and 'gt' not in sample.get('data_samples', ()):
        raise ValueError(
            f'the pipeline of {place} gives no masks to train on: it needs '
            'LoadClipMasks, and PackRVOSInputs at its end')
    training, before = model.training, model.stage
    model.eval()
    model.stage = stage['stage']
    try:
        with torch.no_grad():
            model(**model.data_preprocessor(pseudo_collate([sample]), True),
                  mode='loss')
    except Exception as error:
        raise ValueError(
            f'{place} computes no loss of a sample of its pipeline: '
            f'{type(error).__name__}: {error}') from error
    finally:
        model.train(training)
        model.stage = before


def changed_lengths(stages: Sequence[dict], max_epochs: int) -> Iterator[str]:
    """Say which stages a training cuts, or that it extends the last one."""
    end = 0
    for number, stage in enumerate(stages, 1):
        start, end = end, end + stage['epochs']
        if end > max_epochs:
            yield (f'Stage {number} ({stage["stage"]}) has '
                   f'{max(0, max_epochs - start)} of its {stage["epochs"]} '
                   f'epochs, because max_epochs is {max_epochs}')
    if end < max_epochs:
        yield (f'Stage {len(stages)} ({stages[-1]["stage"]}) has '
               f'{max_epochs - end} epochs more than its '
               f'{stages[-1]["epochs"]}, because max_epochs is {max_epochs}')


def forget_losses(message_hub: MessageHub) -> None:
    """Remove the losses of an ended stage, whose last values would be logged
    until the end of the training."""
    scalars = message_hub.log_scalars
    for name in [n for n in scalars if n.startswith('train/') and 'loss' in n]:
        del scalars[name]


def freeze(part: nn.Module) -> None:
    """Stop the training of a part, dropout and statistics included."""
    part.requires_grad_(False)
    part.eval()
    # the training loop calls train() at the start of each epoch
    part.train = lambda mode=True: part
