from collections.abc import Sequence
from typing import Any

import numpy as np
import pycocotools.mask as mask_utils

from .images import check_shape


def mask_areas(rles: Sequence[dict]) -> np.ndarray:
    """Count the pixels of n masks, (n,) int64.

    The masks are counted one by one, because ``pycocotools.mask.area`` stores
    the length of a list in a uint8 and fails for more than 255 masks.
    """
    return np.array([mask_utils.area(rle) for rle in rles], dtype=np.int64)


def checked_rle(rle: Any) -> dict:
    """Check a COCO RLE and compress it if its counts are a list.

    pycocotools does not check an RLE. It returns uninitialised memory if the
    runs are shorter than the mask, and reads beyond its end if they are
    longer.

    Args:
        rle: ``{"size": [height, width], "counts": str, bytes or list}``.

    Returns:
        The RLE with ``counts`` as text or bytes.

    Raises:
        ValueError: it is no RLE, or its runs do not fill the mask.
    """
    if not isinstance(rle, dict) or not {'size', 'counts'} <= rle.keys():
        raise ValueError(
            f'{str(rle)[:60]!r} is no RLE, expected a dict of size and counts')
    size, counts = rle['size'], rle['counts']
    if not (isinstance(size, (list, tuple)) and len(size) == 2
            and all(type(side) is int and side > 0 for side in size)):
        raise ValueError(
            f'an RLE of size {str(size)[:60]}, expected [height, width] in '
            'pixels')
    check_shape(*size, 'an RLE')
    if isinstance(counts, list):
        if not all(type(run) is int for run in counts):
            raise ValueError('an RLE whose list of counts holds more than '
                             'integers')
        runs = np.array(counts, dtype=np.int64)
    elif isinstance(counts, (str, bytes)):
        runs = _decode_runs(counts)
    else:
        raise ValueError(
            f'an RLE whose counts are a {type(counts).__name__}, expected '
            'text, bytes or a list')
    if (runs < 0).any() or runs.sum() != size[0] * size[1]:
        raise ValueError(
            f'an RLE whose runs sum to {runs.sum()} pixels (smallest run '
            f'{runs.min(initial=0)}), expected {size[0]} x {size[1]}: the '
            'file is damaged')
    if isinstance(counts, list):
        return mask_utils.frPyObjects(dict(rle, size=list(size)), *size)
    return rle


def _decode_runs(counts: str | bytes) -> np.ndarray:
    """The run lengths of compressed counts, (n,) int64.

    A run is written in groups of five bits, lowest first, in the characters
    '0' to 'o'; bit 5 says that more groups follow, and bit 4 of the last group
    is the sign. From the fourth run on, the difference from the run before the
    last one is written.
    """
    if isinstance(counts, str):
        counts = counts.encode('utf-8', 'surrogatepass')
    codes = np.frombuffer(counts, np.uint8).astype(np.int64) - 48
    if ((codes < 0) | (codes > 63)).any():
        raise ValueError('an RLE whose counts hold characters other than '
                         "'0' to 'o'")
    if not codes.size:
        return codes
    ends = np.flatnonzero(codes & 32 == 0)
    if not ends.size or ends[-1] != len(codes) - 1:
        raise ValueError('an RLE whose counts are cut off')
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 7:  # more than 32 bits
        raise ValueError('an RLE with a run of more than 32 bits')
    shifts = 5 * (np.arange(len(codes)) - np.repeat(starts, lengths))
    runs = np.add.reduceat((codes & 31) << shifts, starts)
    runs -= np.where(codes[ends] & 16, np.int64(1) << 5 * lengths, 0)
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return runs
