"""Maps of single frames, tokens of whole clips, words of sentences."""
from collections.abc import Iterable, Iterator

from torch import Tensor


def to_tokens(maps: Tensor, num_frames: int) -> Tensor:
    """(P*T, C, h, w) to (P, T*h*w, C): all pixels of a clip in a row.

    A view where the maps lie channels-last in memory.
    """
    return maps.unflatten(0, (-1, num_frames)).movedim(2, -1).flatten(1, 3)


def to_maps(tokens: Tensor, num_frames: int,
            size: tuple[int, int]) -> Tensor:
    """(P, T*h*w, C) to (P*T, C, h, w), the inverse of :func:`to_tokens`."""
    return tokens.transpose(1, 2).unflatten(
        -1, (num_frames, *size)).transpose(1, 2).flatten(0, 1)


def split_frames(x: Tensor, num_frames: int, step: int) -> Iterator[Tensor]:
    """Some frames of every clip after the other.

    Args:
        x: (P*T, ...).
        num_frames: T.
        step: frames of a clip in a part; the last part may have fewer.

    Returns:
        (P*step, ...) each.
    """
    parts = x.unflatten(0, (-1, num_frames)).split(step, dim=1)
    return (part.flatten(0, 1) for part in parts)


def join_frames(parts: Iterable[Tensor], num_clips: int,
                num_frames: int) -> Tensor:
    """The inverse of :func:`split_frames`; of the parts only one is held.

    Args:
        parts: (P*t, ...) each, the next t frames of every clip.
        num_clips: P.
        num_frames: T, of all parts.

    Returns:
        (P*T, ...); the part itself where there is only one.
    """
    joined, start = None, 0
    for part in parts:
        if len(part) == num_clips * num_frames:
            return part
        if joined is None:
            joined = part.new_empty(num_clips, num_frames, *part.shape[1:])
        stop = start + len(part) // num_clips
        joined[:, start:stop] = part.unflatten(0, (num_clips, -1))
        start = stop
    return joined.flatten(0, 1)


def masked_mean(words: Tensor, padding: Tensor | None) -> Tensor:
    """Mean of the words that are there.

    Args:
        words: (P, L, C).
        padding: (P, L) bool, True where padded, or None.

    Returns:
        (P, C).
    """
    if padding is None:
        return words.mean(1)
    keep = ~padding[..., None]
    return (words * keep).sum(1) / keep.sum(1)
