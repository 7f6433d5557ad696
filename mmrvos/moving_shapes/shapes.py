"""Signed distances of the six shapes, and the coverage of pixels.

Pixels depend on + - * / and square roots only. IEEE 754 defines their
rounding, so the results are equal on every machine. It does not define that of
sines and cosines, so these are rounded to multiples of 2**-30.
"""
import math
from functools import lru_cache

import numpy as np

SHAPES = ('circle', 'cross', 'ring', 'square', 'star', 'triangle')

# proportions of the outlines, relative to the outer radius
_STAR_INNER = 0.5
_RING_INNER = 0.5
_CROSS_ARM = 0.36


@lru_cache(maxsize=4096)
def direction(turn: float) -> tuple[float, float]:
    """Return (cos, sin) of ``turn`` full turns, rounded to 2**-30."""
    angle = 2 * np.pi * (turn % 1.0)
    return (float(np.round(np.cos(angle) * 2**30) / 2**30),
            float(np.round(np.sin(angle) * 2**30) / 2**30))


@lru_cache
def outer_radius(shape: str) -> float:
    """Return the radius of the smallest circle around a shape of area pi."""
    area = {  # of a shape with outer radius 1
        'circle': np.pi,
        'ring': np.pi * (1 - _RING_INNER**2),
        'square': 2.0,
        'triangle': 0.75 * math.sqrt(3),
        'star': 5 * _STAR_INNER * direction(0.1)[1],
        'cross': _cross_area(),
    }[shape]
    return float(np.round(math.sqrt(np.pi / area) * 2**20) / 2**20)


def _cross_area() -> float:
    length = 1 / math.sqrt(1 + _CROSS_ARM**2)  # so that the corners lie at 1
    width = _CROSS_ARM * length
    return 8 * length * width - 4 * width**2


def signed_distance(shape: str, x: np.ndarray, y: np.ndarray,
                    radius: np.ndarray) -> np.ndarray:
    """Compute the distance to the outline, negative inside.

    Args:
        shape: one of ``SHAPES``.
        x, y: distances from the centre in pixels, to the right and down.
        radius: outer radius in pixels, broadcast against x and y.
    """
    if shape == 'circle':
        return np.sqrt(x * x + y * y) - radius
    if shape == 'ring':
        middle = radius * (0.5 + 0.5 * _RING_INNER)
        return (np.abs(np.sqrt(x * x + y * y) - middle)
                - radius * (0.5 - 0.5 * _RING_INNER))
    if shape == 'square':
        return np.maximum(np.abs(x), np.abs(y)) - radius * math.sqrt(0.5)
    if shape == 'triangle':
        root = math.sqrt(3)
        slope = (np.abs(x) * root - y) * 0.5
        return np.maximum(slope, y) - radius * 0.5
    if shape == 'cross':
        length = radius / math.sqrt(1 + _CROSS_ARM**2)
        width = length * _CROSS_ARM
        x, y = np.abs(x), np.abs(y)
        return np.minimum(
            np.maximum(x - length, y - width),
            np.maximum(x - width, y - length))
    if shape == 'star':
        # mirror all points into the wedge between a tip and the next notch
        normal = direction(0.1)  # of the mirror through the notch
        x, y = np.abs(x), -y
        for _ in range(2):
            beyond = 2 * np.maximum(x * normal[0] - y * normal[1], 0)
            x, y = np.abs(x - beyond * normal[0]), y + beyond * normal[1]
        along = (_STAR_INNER * normal[1], _STAR_INNER * normal[0] - 1)
        length = math.sqrt(along[0]**2 + along[1]**2)
        return (-x * along[1] + (y - radius) * along[0]) / length
    raise ValueError(f'shape {shape!r} is unknown; choose from {SHAPES}')


def coverage(distance: np.ndarray) -> np.ndarray:
    """Convert distances to the covered fraction of pixels, in [0, 1]."""
    return np.minimum(np.maximum(0.5 - distance, 0), 1)
