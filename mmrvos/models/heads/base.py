from abc import ABCMeta, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from mmengine.model import BaseModule
from torch import Tensor

from ..features import Predictions, Targets


class BaseRVOSHead(BaseModule, metaclass=ABCMeta):
    """Predict classes, boxes and masks from decoded features, and their loss.

    Masks are large, so ``forward`` does not build them: ``masks`` builds
    those that the loss or the postprocessor needs.

    Args:
        loss_weights: weight of each loss, where it differs from
            ``LOSS_WEIGHTS`` of the class.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: ``loss_weights`` has an unknown name.
    """
    #: names of the losses and their default weights
    LOSS_WEIGHTS: ClassVar[dict[str, float]] = {}

    def __init__(self,
                 *,
                 loss_weights: Mapping[str, float] | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        loss_weights = loss_weights or {}
        if unknown := sorted(set(loss_weights) - set(self.LOSS_WEIGHTS)):
            raise ValueError(
                f'head.loss_weights has unknown losses {unknown}, expected '
                f'some of {list(self.LOSS_WEIGHTS)}')
        self.loss_weights = {**self.LOSS_WEIGHTS, **loss_weights}

    @abstractmethod
    def forward(self, *args, **kwargs) -> Predictions:
        """Predict everything but the masks.

        The arguments are those of the method, whose ``decode`` calls this.
        """

    @abstractmethod
    def masks(self,
              predictions: Predictions,
              layer: int | None = None,
              chosen: Tensor | None = None) -> Tensor:
        """Build mask logits.

        Args:
            predictions: of P pairs, from :meth:`forward`.
            layer: index of a decoder layer; None for all.
            chosen: (P,) long, one query per pair; None for all. Heads with
                dynamic masks also take one query per layer and pair, (D, P).

        Returns:
            (D, P, T, N, h, w); D = 1 with a ``layer``, N = 1 with ``chosen``.
        """

    @abstractmethod
    def loss(self, predictions: Predictions,
             targets: Targets) -> dict[str, Tensor]:
        """Compute the weighted losses of a batch.

        Returns:
            ``loss_<name>`` of the last decoder layer and ``d<l>.loss_<name>``
            of layer l before it.
        """

    def weigh(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weight the losses of all layers and name them as :meth:`loss` does.

        Args:
            losses: (D,) each.
        """
        named = {}
        for name, values in losses.items():
            for layer, value in enumerate(values):
                last = layer == len(values) - 1
                prefix = '' if last else f'd{layer}.'
                named[f'{prefix}loss_{name}'] = (
                    self.loss_weights[name] * value)
        return named
