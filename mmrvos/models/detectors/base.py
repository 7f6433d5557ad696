from abc import ABCMeta, abstractmethod
from collections.abc import Sequence

from torch import Tensor


class TextDetector(metaclass=ABCMeta):
    """Find the object that an expression describes in one frame.

    It is not an ``nn.Module``, so its network is not part of checkpoints.
    """

    @abstractmethod
    def check(self, texts: Sequence[str]) -> None:
        """Check expressions before a video is read.

        Raises:
            ValueError: an expression is empty.
        """

    @abstractmethod
    def __call__(self, frame: Tensor,
                 texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Find the best box for every expression.

        Args:
            frame: (3, h, w), normalised with ImageNet's mean and standard
                deviation, without padding.
            texts: E expressions.

        Returns:
            Boxes (E, 4) float as (x1, y1, x2, y2), from 0 to 1 of the width
            and height; and scores (E,) float, 0 where nothing was found.
        """
