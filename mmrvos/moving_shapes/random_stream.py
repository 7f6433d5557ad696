"""Draw random numbers that are equal on every machine and numpy version.

numpy guarantees the raw stream of a bit generator, but not how ``Generator``
converts it to numbers. So this module converts it.
"""
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar('T')


class RandomStream:
    """A stream of random numbers.

    Args:
        key: non-negative integers; equal keys give equal streams.
    """

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))

    def unit(self) -> float:
        """Draw a multiple of 2**-24 in [0, 1)."""
        return (self._bits.random_raw() >> 40) / 2.0**24

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def integer(self, stop: int) -> int:
        """Draw one of 0 .. stop - 1."""
        return (self._bits.random_raw() >> 32) * stop >> 32

    def chance(self, probability: float) -> bool:
        return self.unit() < probability

    def choice(self, items: Sequence[T]) -> T:
        return items[self.integer(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Draw ``count`` items without replacement, in random order."""
        rest = list(items)
        return [rest.pop(self.integer(len(rest))) for _ in range(count)]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return self.sample(items, len(items))

    def bytes(self, *shape: int) -> np.ndarray:
        """Draw an array of uint8."""
        count = int(np.prod(shape))
        raw = self._bits.random_raw((count + 7) // 8)
        # '<u8': the byte order must not depend on the machine
        raw = np.asarray(raw, dtype='<u8')
        return raw.view(np.uint8)[:count].reshape(shape)
