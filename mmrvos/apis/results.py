from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pycocotools.mask as mask_utils
from mmengine.structures import InstanceData

from mmrvos.utils import mask_areas

from .supervision_detections import SupervisionDetections


@dataclass
class ExpressionResult:
    """The masks of one sentence in a video.

    Attributes:
        text: the sentence.
        score: class probability of the chosen object query, 0 to 1, a mean
            over all frames. It ranks the candidates of one sentence. It is
            not the probability that the object is in the video: models that
            were trained on sentences with a target only also give high scores
            to sentences without one. See ``min_score`` of the inferencer.
        rles: T masks as COCO RLE dicts, small for videos of any length.
    """

    text: str
    score: float
    rles: list[dict] = field(repr=False)

    @property
    def found(self) -> bool:
        """Whether any frame has a mask that is not empty."""
        return bool(mask_areas(self.rles).any())

    @property
    def masks(self) -> np.ndarray:
        """(T, H, W) bool, decoded at each access."""
        return np.stack(list(self.iter_masks()))

    def iter_masks(self) -> Iterator[np.ndarray]:
        """Decode the masks one by one, (H, W) bool."""
        for rle in self.rles:
            yield mask_utils.decode(rle).astype(bool)

    def to_supervision(self, class_id: int = 0) -> SupervisionDetections:
        """Return the masks as detections of the package supervision.

        Item t is the ``supervision.Detections`` of frame t: one detection
        with box (x1, y1, x2, y2) in pixels, mask, score, and the sentence as
        ``data['class_name']``; none if the mask is empty.

        Args:
            class_id: class and track of the detections, by which annotators
                choose colours: the index of the sentence, for example.

        Raises:
            ImportError: supervision is not installed.
        """
        return SupervisionDetections(self.rles, self.text, self.score,
                                     class_id)


@dataclass
class SegmentedFrames:
    """Consecutive frames of a video and the masks of E sentences in them.

    Attributes:
        names: t frame names.
        images: t arrays (H, W, 3), uint8 RGB.
        pred: ``masks``, ``scores`` and more, see :class:`RVOSDataSample`.
    """

    names: list[str]
    images: list[np.ndarray] = field(repr=False)
    pred: InstanceData = field(repr=False)


def results_of(texts: Sequence[str],
               pred: InstanceData) -> list[ExpressionResult]:
    """Split the predictions of a video into one result per sentence."""
    return [
        ExpressionResult(text, float(score), list(rles))
        for text, score, rles in zip(
            texts, pred.scores, pred.masks, strict=True)
    ]
