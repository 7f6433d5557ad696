from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmrvos.registry import HOOKS


@HOOKS.register_module()
class DenseWarmupHook(Hook):
    """Train a method's first epochs on the dense loss alone.

    Which pixels a sentence means is learnt from many sentences; the decoder
    and the masks cost most of a step and teach little of it. So the first
    epochs stop at the stride-8 map. Parameters behind it get no gradient then:
    several processes need ``find_unused_parameters=True``.

    Args:
        epochs: how many.

    Raises:
        ValueError: the model has no ``dense_head``.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def before_train_epoch(self, runner: Runner) -> None:
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        if model.dense_head is None:
            raise ValueError('DenseWarmupHook needs a model with a '
                             'dense_head: add one, or remove the hook')
        model.dense_only = runner.epoch < self.epochs
