"""Results as detections of the package supervision."""
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np
import pycocotools.mask as mask_utils

if TYPE_CHECKING:
    from supervision import Detections


class SupervisionDetections(Sequence):
    """The masks of one sentence as ``supervision.Detections``.

    A sequence of T items, which are made at each access, so that memory does
    not grow with the video.

    Args:
        rles: T masks as COCO RLE dicts.
        text: the sentence.
        score: of the sentence.
        class_id: of all detections.

    Raises:
        ImportError: supervision is not installed.
    """

    def __init__(self, rles: Sequence[dict], text: str, score: float,
                 class_id: int) -> None:
        try:
            import supervision
        except ImportError:
            raise ImportError('to_supervision() needs the package '
                              'supervision: pip install supervision') from None
        self._supervision = supervision
        self.rles = rles
        self.text = text
        self.score = score
        self.class_id = class_id

    def __len__(self) -> int:
        return len(self.rles)

    @overload
    def __getitem__(self, index: int) -> 'Detections':
        ...

    @overload
    def __getitem__(self, index: slice) -> 'SupervisionDetections':
        ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return SupervisionDetections(self.rles[index], self.text,
                                         self.score, self.class_id)
        mask = mask_utils.decode(self.rles[index]).astype(bool)
        masks = mask[None][:int(mask.any())]  # (1, H, W), or (0, H, W)
        count = len(masks)
        return self._supervision.Detections(
            xyxy=self._supervision.mask_to_xyxy(masks).astype(np.float32),
            mask=masks,
            confidence=np.full(count, self.score, np.float32),
            class_id=np.full(count, self.class_id),
            tracker_id=np.full(count, self.class_id),
            data=dict(class_name=np.full(count, self.text)))
