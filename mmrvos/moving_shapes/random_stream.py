"""Random draws that are the same on every machine and numpy version.

numpy promises the raw stream of a bit generator for ever, but not how
``Generator`` turns it into numbers; so the few draws needed are made here.
"""
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar('T')


class RandomStream:
    """A stream of draws, named by a tuple of non-negative integers."""

    def __init__(self, *key: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(key))

    def unit(self) -> float:
        """A multiple of 2**-24 in [0, 1)."""
        return (self._bits.random_raw() >> 40) / 2.0**24

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def integer(self, stop: int) -> int:
        """One of 0 .. stop - 1."""
        return (self._bits.random_raw() >> 32) * stop >> 32

    def chance(self, probability: float) -> bool:
        return self.unit() < probability

    def choice(self, items: Sequence[T]) -> T:
        return items[self.integer(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """``count`` different items in a random order."""
        rest = list(items)
        return [rest.pop(self.integer(len(rest))) for _ in range(count)]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        return self.sample(items, len(items))

    def bytes(self, *shape: int) -> np.ndarray:
        """An array of random uint8."""
        count = int(np.prod(shape))
        raw = self._bits.random_raw((count + 7) // 8)
        # '<u8': the order of the bytes must not follow the machine's
        raw = np.asarray(raw, dtype='<u8')
        return raw.view(np.uint8)[:count].reshape(shape)
