from mmengine.model import BaseModule
from torch import Tensor

from mmrvos.registry import MODELS

from ..features import ClipFeatures, TextFeatures


@MODELS.register_module()
class NoFusion(BaseModule):
    """Pass levels and sentence on, without early fusion.

    Language then enters by the queries and by the pixel decoder only.
    """

    def forward(self, clip: ClipFeatures,
                text: TextFeatures) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return the levels of the clip and the sentences (P, C)."""
        return clip.levels, text.sentence
