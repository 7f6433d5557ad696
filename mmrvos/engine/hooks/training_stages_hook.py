from collections.abc import Sequence

from mmengine.dataset import Compose
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmrvos.registry import HOOKS

HEADS = dict(category='category_head', dense='dense_head')


@HOOKS.register_module()
class TrainingStagesHook(Hook):
    """Train from scratch in stages, each on data of its own.

    'category' trains the backbone to name objects, 'dense' adds language and
    stops at the map that a sentence selects pixels of, 'whole' is the method.
    The first stages are cheap a step, and what they teach takes many steps.
    Parameters that a stage does not use get no gradient: several processes
    need ``find_unused_parameters=True``.

    Args:
        stages: in their order, ``dict(stage=..., epochs=..., pipeline=...)``;
            training ends with the last one, whatever its epochs. The
            pipeline is the training data set's; without one, the pipeline
            stays as it is.

    Raises:
        ValueError: a stage is unknown, or the model lacks its head, or the
            workers of the data loader would keep their old pipeline.
    """

    def __init__(self, stages: Sequence[dict]) -> None:
        for stage in stages:
            if stage['stage'] not in (*HEADS, 'whole'):
                raise ValueError(
                    f'a stage is one of {[*HEADS, "whole"]}, got '
                    f'{stage["stage"]!r}')
        self.stages = list(stages)

    def current(self, epoch: int) -> dict:
        """The stage of an epoch, counted from 0."""
        for stage in self.stages:
            if epoch < stage['epochs']:
                return stage
            epoch -= stage['epochs']
        return self.stages[-1]

    def before_train(self, runner: Runner) -> None:
        model = unwrap(runner)
        for stage in self.stages:
            head = HEADS.get(stage['stage'])
            if head is not None and getattr(model, head) is None:
                raise ValueError(
                    f'stage {stage["stage"]!r} needs a model with a {head}: '
                    'add one, or remove the stage from TrainingStagesHook')
        if getattr(runner.train_dataloader, 'persistent_workers', False):
            raise ValueError(
                'TrainingStagesHook changes pipelines, which persistent '
                'workers would not notice: set '
                'train_dataloader.persistent_workers=False')

    def before_train_epoch(self, runner: Runner) -> None:
        stage = self.current(runner.epoch)
        unwrap(runner).stage = stage['stage']
        if stage.get('pipeline') is not None:
            runner.train_dataloader.dataset.pipeline = Compose(
                stage['pipeline'])


def unwrap(runner: Runner):
    """The segmentor, without what distributes it."""
    model = runner.model
    return model.module if is_model_wrapper(model) else model
