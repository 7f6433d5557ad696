"""Binary masks with 64 pixels a machine word.

A 480 x 854 mask is 54 KiB instead of 400, so that shifting, combining and
counting cost a few microseconds, whatever the mask looks like.
"""
from functools import lru_cache
from math import isqrt

import numpy as np

_WORD = np.dtype('<u8')  # with bitorder='little', bit i is column i


def pack(mask: np.ndarray, margin: int) -> np.ndarray:
    """Pack a mask row by row.

    Args:
        mask: (H, W), bool, or numbers of which all but zero are foreground.
        margin: columns of zeros that every row has at its end at least. A
            horizontal shift by no more than these stays in its row: what
            leaves on one side lands in a margin.

    Returns:
        (H, ceil((W + margin) / 64)) uint64.
    """
    height, width = mask.shape
    packed = np.packbits(mask, axis=1, bitorder='little')
    words = np.zeros((height, -(-(width + margin) // 64)), dtype=_WORD)
    words.view(np.uint8)[:, :packed.shape[1]] = packed
    return words


def unpack(words: np.ndarray, width: int) -> np.ndarray:
    """The (H, W) bool mask that ``pack`` was given."""
    return np.unpackbits(
        words.view(np.uint8), axis=1, count=width,
        bitorder='little').view(bool)


def count(words: np.ndarray) -> int:
    """Number of foreground pixels."""
    return int(np.bitwise_count(words).sum(dtype=np.int64))


def _shift(words: np.ndarray, step: int) -> np.ndarray:
    """Pixel x of the result is pixel x + step of the input, 0 < |step|."""
    flat = words.reshape(-1)
    whole, bits = divmod(abs(step), 64)
    out = np.zeros_like(flat)
    kept = max(flat.size - whole, 0)
    if step > 0:
        np.right_shift(flat[whole:], bits, out=out[:kept])
        if bits and kept > 1:
            out[:kept - 1] |= flat[whole + 1:] << (64 - bits)
    else:
        np.left_shift(flat[:kept], bits, out=out[whole:])
        if bits and kept > 1:
            out[whole + 1:] |= flat[:kept - 1] >> (64 - bits)
    return out.reshape(words.shape)


@lru_cache(maxsize=64)
def _all_but_last_column(width: int, num_words: int) -> np.ndarray:
    row = np.zeros((1, num_words * 64), dtype=bool)
    row[:, :width - 1] = True
    return pack(row, margin=0)


def boundary(words: np.ndarray, width: int) -> np.ndarray:
    """Pixels that differ from their right, lower or lower right neighbour.

    In the last column only the lower neighbour counts, in the last row only
    the right one, so a mask that fills the frame has no boundary at all.

    Args:
        words: a packed mask with a margin of at least one column.
        width: W of the mask.
    """
    right = _shift(words, 1)
    edges = words ^ right
    edges[:-1] |= words[:-1] ^ right[1:]
    edges &= _all_but_last_column(width, words.shape[1])
    edges[:-1] |= words[:-1] ^ words[1:]
    return edges


@lru_cache(maxsize=64)
def _disk_rows(radius: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The disk dx^2 + dy^2 <= R^2 as (half width, rows of that half width),
    narrow rows first."""
    rows: dict[int, list[int]] = {}
    for dy in range(radius, -1, -1):
        rows.setdefault(isqrt(radius * radius - dy * dy), []).append(dy)
    return tuple((half, tuple(dys)) for half, dys in rows.items())


def dilate(words: np.ndarray, radius: int) -> np.ndarray:
    """Dilation by a disk; outside the frame there is nothing.

    Rows of the disk that are equally wide share one horizontal dilation, and
    a wide one grows from the next narrower.

    Args:
        words: a packed mask with a margin of at least ``radius`` columns.
        radius: in pixels.

    Returns:
        Like ``words``; its margin holds rubbish.
    """
    out = np.zeros_like(words)
    used = np.flatnonzero(words.any(axis=1))
    if not used.size:
        return out
    # the rows that the result can reach, for most objects a part of the frame
    top, bottom = max(used[0] - radius, 0), used[-1] + radius + 1
    inside = out[top:bottom]
    spread, reached = words[top:bottom], 0
    for half, rows in _disk_rows(radius):
        while reached < half:
            # a longer step would leave a gap behind
            step = min(half - reached, 2 * reached + 1)
            spread = spread | _shift(spread, step) | _shift(spread, -step)
            reached += step
        for dy in rows:
            if dy == 0:
                inside |= spread
            elif dy < len(inside):
                inside[dy:] |= spread[:-dy]
                inside[:-dy] |= spread[dy:]
    return out
