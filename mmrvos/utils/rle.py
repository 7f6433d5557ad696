from collections.abc import Sequence

import numpy as np
import pycocotools.mask as mask_utils


def mask_areas(rles: Sequence[dict]) -> np.ndarray:
    """(n,) int64, the pixels of n masks.

    One by one: given a list, ``pycocotools.mask.area`` puts its length into
    a uint8, which fails from the 256th frame of a video on.
    """
    return np.array([mask_utils.area(rle) for rle in rles], dtype=np.int64)
