from collections.abc import Sequence

from mmengine.dataset import Compose
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmrvos.registry import HOOKS

from ..runner import bare_model

HEADS = dict(category='category_head', dense='dense_head')
STAGE_KEYS = {'stage', 'epochs', 'pipeline'}


@HOOKS.register_module()
class TrainingStagesHook(Hook):
    """Train from scratch in stages, each with a training pipeline of its own.

    Stage 'category' trains the backbone on object categories, 'dense' adds
    the text encoder and the fusion and trains the dense mask head, 'whole'
    trains the complete method. A step of an early stage costs less than a
    step of the complete method.

    Parameters that a stage does not use get no gradient, so distributed
    training needs ``find_unused_parameters=True``.

    Args:
        stages: dicts in the order of training, with the keys ``stage`` (a
            name from above), ``epochs`` and, optionally, ``pipeline`` (of the
            training data set; without it, the pipeline does not change).
            The last stage lasts until training ends.

    Raises:
        ValueError: a stage is unknown, the model lacks the head of a stage,
            or the data loader has persistent workers, which would keep the
            first pipeline.
    """

    def __init__(self, stages: Sequence[dict]) -> None:
        for stage in stages:
            if not {'stage', 'epochs'} <= set(stage) <= STAGE_KEYS:
                raise ValueError(
                    f'TrainingStagesHook got a stage with the keys '
                    f'{sorted(stage)}, expected stage, epochs and, '
                    'optionally, pipeline')
            if stage['stage'] not in (*HEADS, 'whole'):
                raise ValueError(
                    f'TrainingStagesHook got stage {stage["stage"]!r}, '
                    f'expected one of {[*HEADS, "whole"]}')
        self.stages = list(stages)

    def current(self, epoch: int) -> dict:
        """Return the stage of an epoch (counted from 0)."""
        for stage in self.stages:
            if epoch < stage['epochs']:
                return stage
            epoch -= stage['epochs']
        return self.stages[-1]

    def before_train(self, runner: Runner) -> None:
        model = bare_model(runner.model)
        for stage in self.stages:
            head = HEADS.get(stage['stage'])
            if head is not None and getattr(model, head) is None:
                raise ValueError(
                    f'stage {stage["stage"]!r} needs a model with a {head}: '
                    'add one, or remove the stage from TrainingStagesHook')
        if getattr(runner.train_dataloader, 'persistent_workers', False):
            raise ValueError(
                'TrainingStagesHook changes the pipeline between epochs, but '
                'persistent workers keep their first pipeline: set '
                'train_dataloader.persistent_workers=False')

    def before_train_epoch(self, runner: Runner) -> None:
        stage = self.current(runner.epoch)
        bare_model(runner.model).stage = stage['stage']
        if stage.get('pipeline') is not None:
            runner.train_dataloader.dataset.pipeline = Compose(
                stage['pipeline'])
