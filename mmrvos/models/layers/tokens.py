"""Maps of single frames, tokens of whole clips, words of sentences."""
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
