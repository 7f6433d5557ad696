"""Limits of what is computed at once, to bound the memory of testing."""
from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Chunks:
    """``test_cfg.chunks`` of a segmentor; an unknown key is an error.

    Each limit bounds one kind of intermediate result, so that peak memory
    does not depend on the length of a clip or on the number of expressions.
    Chunks give the same numbers as the whole, up to rounding. A chunk has at
    least one item (of pairs: one expression with all its frames). Training is
    always whole: its memory is the gradients' anyway.

    Args:
        frames: frames per chunk in an image backbone, in the deformable
            encoder, and in the resizing of masks to the original size.
        pairs: (frame, expression) pairs that are decoded together.
        pixels: pixels per chunk in the per-pixel layers of CrossModalFPN,
            whose feed-forward network is 8 times as wide as its input.
        queries: queries per chunk of deformable sampling on a CPU, whose
            indices then fit the cache; a GPU samples all queries at once.
            Also tokens per chunk of FrameAttention.

    None is no limit.

    Raises:
        ValueError: a limit below 1.
    """
    frames: int | None = 8
    pairs: int | None = 64
    pixels: int | None = 2**14
    queries: int | None = 2**13

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and (type(value) is not int
                                      or value < 1):
                raise ValueError(
                    f'test_cfg.chunks.{field.name}={value!r}: expected an '
                    'integer of at least 1, or None for no limit')


WHOLE = Chunks(frames=None, pairs=None, pixels=None, queries=None)


def chunk_slices(total: int, limit: int | None,
                 cost: int = 1) -> Iterator[slice]:
    """Split items into consecutive chunks.

    Args:
        total: number of items.
        limit: largest cost of a chunk; None for a single chunk.
        cost: of one item. A chunk has at least one item, whatever its cost.

    Yields:
        The slice of each chunk. Their sizes differ only in the last one.

    >>> list(chunk_slices(5, 6, cost=3))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    size = max(total, 1) if limit is None else max(1, limit // cost)
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))
