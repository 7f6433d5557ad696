"""Conversions between maps of frames and tokens of clips."""
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

ROWS = 1024  # with 2,048 hidden channels: 8 MiB


def to_tokens(maps: Tensor, num_frames: int) -> Tensor:
    """Convert maps (P*T, C, h, w) to tokens (P, T*h*w, C).

    The result is a view where the maps are channels-last in memory.
    """
    return maps.unflatten(0, (-1, num_frames)).movedim(2, -1).flatten(1, 3)


def to_maps(tokens: Tensor, num_frames: int,
            size: tuple[int, int]) -> Tensor:
    """Convert tokens (P, T*h*w, C) to maps (P*T, C, h, w)."""
    return tokens.transpose(1, 2).unflatten(
        -1, (num_frames, *size)).transpose(1, 2).flatten(0, 1)


def split_frames(x: Tensor, num_frames: int,
                 parts: Iterable[slice]) -> Iterator[Tensor]:
    """Take consecutive frames of every clip, chunk by chunk.

    Args:
        x: (P*T, ...).
        num_frames: T.
        parts: frames of each chunk.

    Returns:
        (P*t, ...) for each chunk of t frames.
    """
    clips = x.unflatten(0, (-1, num_frames))
    return (clips[:, part].flatten(0, 1) for part in parts)


def join_frames(parts: Iterable[Tensor], num_clips: int,
                num_frames: int) -> Tensor:
    """Invert :func:`split_frames`; one part is in memory at a time.

    Args:
        parts: (P*t, ...) each, consecutive frames of every clip.
        num_clips: P.
        num_frames: T, of all parts.

    Returns:
        (P*T, ...); the part itself if there is only one.
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
    """Average the words that are not padded.

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


def rows_at_once(tokens: Tensor) -> int | None:
    """Return how many tokens fit the cache of a CPU in testing.

    None, for all of them, on a GPU, in training, and while a graph is
    compiled, which would get a node per chunk.
    """
    if (tokens.is_cuda or torch.is_grad_enabled()
            or torch.compiler.is_compiling()):
        return None
    return ROWS


def in_rows(function: Callable[[Tensor], Tensor], tokens: Tensor) -> Tensor:
    """Apply a function of single tokens, in testing some at a time.

    For feed-forward networks: the hidden layer of a chunk stays in the cache
    of a CPU, and the result is the same.

    Args:
        function: from (n, C) to (n, C').
        tokens: (..., C).

    Returns:
        (..., C').
    """
    size = rows_at_once(tokens)
    if size is None or tokens.shape[:-1].numel() <= size:
        return function(tokens)
    rows, joined = tokens.flatten(0, -2), None
    for start in range(0, len(rows), size):
        part = function(rows[start:start + size])
        if joined is None:
            joined = part.new_empty(len(rows), part.shape[-1])
        joined[start:start + size] = part
    return joined.view(*tokens.shape[:-1], -1)
