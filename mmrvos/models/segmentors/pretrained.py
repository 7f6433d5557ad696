"""Segmentors of published models: nothing is trained."""
from collections.abc import Sequence
from typing import ClassVar

import torch
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from mmrvos.registry import MODELS, TASK_UTILS
from mmrvos.structures import RVOSDataSample

from ..postprocessors.masks import encode_masks
from .inference_cfg import InferenceCfg
from .parts import Part
from .window_streaming import WindowStreaming


class PretrainedSegmentor(WindowStreaming, BaseModel):
    """Segment with published models, without a checkpoint of ours.

    The networks are no child modules: they are loaded when first needed, and
    a checkpoint does not hold them. A subclass implements
    :meth:`encode_text`, which checks the expressions, and :meth:`stream`.

    Args:
        test_cfg: see :class:`InferenceCfg`. ``overlap``, ``query``,
            ``chunks`` and ``postprocessor`` have no meaning here.
        data_preprocessor: config of the data preprocessor.

    Raises:
        ValueError: ``test_cfg`` has a key without a meaning here.
    """
    #: tools and the inferencer need no checkpoint
    needs_checkpoint: ClassVar[bool] = False
    parts: ClassVar[tuple[Part, ...]] = ()

    def __init__(self,
                 *,
                 test_cfg: dict | None = None,
                 data_preprocessor: dict | None = None) -> None:
        super().__init__(
            MODELS.build(data_preprocessor
                         or dict(type='RVOSDataPreprocessor')))
        test_cfg = dict(test_cfg or {})
        for key in ('overlap', 'query', 'chunks', 'postprocessor'):
            if test_cfg.get(key):
                raise ValueError(
                    f'test_cfg.{key}={test_cfg[key]!r} has no meaning for '
                    f'{type(self).__name__}: remove it')
        self.test_cfg = InferenceCfg(**test_cfg)
        self.propagator = self.test_cfg.propagator and TASK_UTILS.build(
            self.test_cfg.propagator)

    @property
    def device(self) -> torch.device:
        return self.data_preprocessor.mean.device

    def compile_parts(self, **options) -> None:
        """Compile nothing: the networks are not ours.

        Raises:
            ValueError: always.
        """
        raise ValueError(f'{type(self).__name__} has no parts to compile: '
                         'leave --compile out')

    def forward(self,
                inputs: Sequence[Tensor],
                data_samples: Sequence[RVOSDataSample],
                mode: str = 'predict') -> list[RVOSDataSample]:
        """Predict a batch; MMEngine calls this.

        Raises:
            ValueError: ``mode`` is not 'predict'.
        """
        if mode != 'predict':
            raise ValueError(
                f'{type(self).__name__} has nothing to train: mode is '
                f"'predict', got {mode!r}")
        return self.predict(inputs, data_samples)


def empty_prediction(num_expressions: int, num_frames: int,
                     shape: tuple[int, int]) -> InstanceData:
    """Return a prediction without objects, all scores 0."""
    empty, = encode_masks(torch.zeros(1, *shape).bool())
    return InstanceData(
        masks=[[dict(empty) for _ in range(num_frames)]
               for _ in range(num_expressions)],
        scores=torch.zeros(num_expressions),
        frame_scores=torch.zeros(num_expressions, num_frames),
        queries=torch.zeros(num_expressions, 1).long())
