from abc import ABCMeta, abstractmethod
from collections.abc import Iterator

from mmengine.structures import InstanceData
from torch import Tensor

from ..features import Predictions
from ..heads.base import BaseRVOSHead


class BasePostprocessor(metaclass=ABCMeta):
    """Turn the predictions of one window into masks of the original size.

    Built from ``test_cfg.postprocessor``. Expressions are decoded on demand,
    some at a time, so that the features of all expressions are never in
    memory together.
    """

    @abstractmethod
    def __call__(self,
                 head: BaseRVOSHead,
                 decoded: Iterator[Predictions],
                 ori_shape: tuple[int, int],
                 *,
                 frames: slice = slice(None),
                 queries: Tensor | None = None,
                 max_frames: int | None = None) -> InstanceData:
        """Build the masks of all E expressions of a window.

        Args:
            head: builds mask logits from predictions.
            decoded: predictions of some expressions each, on demand.
            ori_shape: (H, W), the original size of the frames.
            frames: the frames of the window whose masks are built.
            queries: (E,) long, the query sequence of each expression; None
                for the best.
            max_frames: frames per chunk that are resized together
                (``test_cfg.chunks.frames``); None for all.

        Returns:
            ``masks``, one COCO RLE per frame and expression; ``scores`` (E,);
            ``queries`` (E,), the query sequences; and, for windows that are
            merged, ``frame_scores`` (E, T).
        """
