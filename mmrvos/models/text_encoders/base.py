from abc import ABCMeta, abstractmethod
from collections.abc import Sequence

from mmengine.model import BaseModule

from ..features import TextFeatures


class BaseTextEncoder(BaseModule, metaclass=ABCMeta):
    """Encode expressions as words and sentences of the model's width.

    A constructor takes ``out_channels`` (C), which the segmentor sets.
    """

    @abstractmethod
    def encode(self, expressions: Sequence[Sequence[str]]) -> TextFeatures:
        """Encode all expressions of a batch.

        Args:
            expressions: for each of B videos, its expressions.

        Raises:
            ValueError: a video has no expression, or an expression cannot be
                encoded (it is empty or too long).
        """

    @classmethod
    def without_downloads(cls, cfg: dict, vocabulary: Sequence[str]) -> None:
        """Change a config, in place, so that it builds random weights.

        Nothing has to be downloaded then. By default nothing changes.

        Args:
            cfg: config of an encoder of this class.
            vocabulary: the words that its tokenizer must know.
        """

    @classmethod
    def weights_from_checkpoint(cls, cfg: dict) -> None:
        """Change a config, in place, so that it loads no weights.

        All weights come from a checkpoint that is loaded afterwards. By
        default nothing changes.

        Args:
            cfg: config of an encoder of this class.
        """
