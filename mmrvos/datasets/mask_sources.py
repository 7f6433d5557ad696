"""Ground truth in the file formats of the benchmarks."""
from collections.abc import Sequence

import numpy as np

from mmrvos.structures import MaskSource


class ClipMasks(MaskSource):
    """Some frames of another source, numbered from 0.

    Args:
        source: of the whole video.
        frame_inds: the clip's frames in it.
    """

    def __init__(self, source: MaskSource, frame_inds: Sequence[int]) -> None:
        self.source = source
        self.frame_inds = list(frame_inds)

    def read(self, obj_ids: Sequence[str], frame: int) -> np.ndarray:
        return self.source.read(obj_ids, self.frame_inds[frame])

    def void(self, frame: int) -> np.ndarray | None:
        return self.source.void(self.frame_inds[frame])
