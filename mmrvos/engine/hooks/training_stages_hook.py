from collections.abc import Sequence

from mmengine.dataset import Compose
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.runner import Runner
from torch import nn

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
    A step of an early stage costs less than a
    step of the complete method.

    Parameters that a stage does not use get no gradient, so distributed
    training needs ``find_unused_parameters=True``.

    Args:
        stages: dicts in the order of training, with the keys ``stage`` (a
            name from above), ``epochs`` and, optionally, ``pipeline`` (of the
            training data set; without it, the pipeline does not change) and
            ``frozen`` (names of parts that this and all later stages do not
            train; their norms keep their statistics).
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
                    'optionally, pipeline and frozen')
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
        dataset = runner.train_dataloader.dataset
        for stage in self.stages:
            if hasattr(dataset, 'check_pipeline'):
                dataset.check_pipeline(stage.get('pipeline') or ())
            head = HEADS.get(stage['stage'])
            if head is not None and getattr(model, head, None) is None:
                raise ValueError(
                    f'stage {stage["stage"]!r} needs a model with a {head}: '
                    'add one, or remove the stage from TrainingStagesHook')
            for name in stage.get('frozen', ()):
                if getattr(model, name, None) is None:
                    raise ValueError(
                        f'stage {stage["stage"]!r} freezes {name!r}, which '
                        f'{type(model).__name__} does not have')
        if getattr(runner.train_dataloader, 'persistent_workers', False):
            raise ValueError(
                'TrainingStagesHook changes the pipeline between epochs, but '
                'persistent workers keep their first pipeline: set '
                'train_dataloader.persistent_workers=False')

    def before_train_epoch(self, runner: Runner) -> None:
        stage = self.current(runner.epoch)
        if runner.epoch and stage is not self.current(runner.epoch - 1):
            forget_losses(runner.message_hub)
        model = bare_model(runner.model)
        model.stage = stage['stage']
        for earlier in self.stages:
            for name in earlier.get('frozen', ()):
                freeze(getattr(model, name))
            if earlier is stage:
                break
        if stage.get('pipeline') is not None:
            runner.train_dataloader.dataset.pipeline = Compose(
                stage['pipeline'])


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
