"""Draw paths: position, size and presence of an object per frame."""
from dataclasses import dataclass, replace

import numpy as np

from .random_stream import RandomStream
from .shapes import direction

# EXTENT can be recognised in a shuffled set of frames. ORDER differs from its
# time reversal, which only the order of the frames shows.
EXTENT = ('still', 'line', 'round', 'zigzag', 'bounce', 'leave')
ORDER = ('line', 'round', 'halt', 'speed', 'grow', 'late')


@dataclass(frozen=True)
class Path:
    """The path of an object; lengths are in frame heights.

    Args:
        centres: (T, 2) as (x, y).
        scales: (T,) factor of the radius.
        present: (T,) False where the object does not exist.
    """
    centres: np.ndarray
    scales: np.ndarray
    present: np.ndarray

    def reversed(self) -> 'Path':
        return Path(self.centres[::-1], self.scales[::-1], self.present[::-1])

    def moved(self, x: float, y: float) -> 'Path':
        return replace(self, centres=self.centres + np.array([x, y]))


def _eased(kind: str, time: np.ndarray) -> np.ndarray:
    """Return the fraction of the line that is covered, from 0 to 1."""
    if kind == 'halt':
        return np.minimum(time * 2, 1)
    if kind == 'speed':
        return time * (0.2 + 0.8 * time)
    return time


def random_path(kind: str, num_frames: int, rng: RandomStream, turn: float,
                reach: tuple[float, float]) -> Path:
    """Draw a path of a kind; its first point is the origin.

    Args:
        kind: one of ``EXTENT`` and ``ORDER``.
        turn: direction of the motion in full turns, clockwise from right;
            'round' goes clockwise below a half.
        reach: shortest and longest length of lines.
    """
    time = np.arange(num_frames) / (num_frames - 1)
    ahead = np.array(direction(turn))
    aside = np.array([-ahead[1], ahead[0]])
    length = rng.uniform(*reach)
    scales = np.ones(num_frames)
    present = np.ones(num_frames, dtype=bool)
    along, across = np.zeros(num_frames), np.zeros(num_frames)
    if kind in ('line', 'halt', 'speed'):
        along = _eased(kind, time) * length
    elif kind == 'bounce':
        phase = time * rng.choice([2, 3])
        along = np.abs(phase - 2 * np.floor(phase / 2 + 0.5)) * length
    elif kind == 'zigzag':
        along = time * length
        phase = time * rng.choice([3, 4])
        across = np.abs(phase - 2 * np.floor(phase / 2 + 0.5)) * 0.24
    elif kind == 'round':
        radius = rng.uniform(0.13, 0.19)
        start = rng.integer(64) / 64
        way = 1 if turn < 0.5 else -1
        points = np.array(
            [direction(start + way * 1.06 * t) for t in time.tolist()])
        return Path((points - points[0]) * radius, scales, present)
    elif kind == 'grow':
        scales = 0.72 + 0.73 * time
        if rng.chance(0.4):
            along = time * length * 0.6
    elif kind == 'late':
        present = time > rng.uniform(0.3, 0.5)
        if rng.chance(0.5):
            along = time * length
    # 'still' has no motion; 'leave' is leaving_path(), which needs the border
    centres = along[:, None] * ahead + across[:, None] * aside
    return Path(centres, scales, present)


def leaving_path(num_frames: int, start: float, outside: float) -> Path:
    """Make a path out of the frame and back, x from ``start`` to
    ``outside``."""
    time = np.arange(num_frames) / (num_frames - 1)
    # out during 0 .. 0.4, away, back during 0.6 .. 1
    part = np.minimum(np.minimum(time, 1 - time) / 0.4, 1)
    x = start + (outside - start) * part
    return Path(np.stack([x, np.zeros(num_frames)], 1), np.ones(num_frames),
                np.ones(num_frames, dtype=bool))
