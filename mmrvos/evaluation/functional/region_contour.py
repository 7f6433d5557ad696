"""Region similarity J and contour accuracy F of the DAVIS benchmark.

The numbers equal those of the official evaluation (davis2017-evaluation). The
official code computes the boundary map of both masks and its dilation for
every comparison. Here a :class:`Silhouette` computes them once per mask, on
packed bits.
"""
from collections.abc import Callable, Sequence
from functools import cached_property
from math import ceil, sqrt

import numpy as np

from . import bit_plane

BOUND_TH = 0.008


def boundary_radius(shape: tuple[int, int], bound_th: float = BOUND_TH) -> int:
    """Compute the tolerance of F in pixels.

    Args:
        shape: (H, W) of the frame.
        bound_th: share of the frame's diagonal, rounded up; a value of 1 or
            more is a number of pixels.
    """
    if bound_th >= 1:
        return int(bound_th)
    return ceil(bound_th * sqrt(shape[0]**2 + shape[1]**2))


class Silhouette:
    """One mask of one frame, prepared for any number of comparisons.

    Args:
        mask: (H, W) bool, or numbers; all but zero are foreground.
        void: (H, W) bool, pixels that are not scored. Both sides of a
            comparison need the same void pixels.
        bound_th: see :func:`boundary_radius`.
    """

    def __init__(self,
                 mask: np.ndarray,
                 void: np.ndarray | None = None,
                 bound_th: float = BOUND_TH) -> None:
        self.shape = mask.shape
        self.radius = boundary_radius(mask.shape, bound_th)
        self.words = bit_plane.pack(mask)
        if void is not None:
            self.words &= ~bit_plane.pack(void)
        self.area = bit_plane.count(self.words)

    @cached_property
    def boundary(self) -> np.ndarray:
        """Packed boundary map."""
        return bit_plane.boundary(self.words, self.shape[1])

    @cached_property
    def boundary_length(self) -> int:
        """Pixels of the boundary map."""
        return bit_plane.count(self.boundary)

    @cached_property
    def near(self) -> np.ndarray:
        """Packed pixels within the tolerance of the boundary."""
        return bit_plane.dilate(self.boundary, self.radius)


def region(pred: Silhouette, gt: Silhouette) -> float:
    """Compute J of two masks: intersection over union, 1 if both are empty."""
    intersection = bit_plane.count(pred.words & gt.words)
    union = pred.area + gt.area - intersection
    return intersection / union if union else 1.0


def contour(pred: Silhouette, gt: Silhouette) -> float:
    """Compute F of two masks.

    Precision is the share of boundary pixels of the prediction that are near
    the boundary of the ground truth; recall is the reverse; F is their
    harmonic mean. F is 1 if neither mask has a boundary, 0 if one has none.
    """
    if not pred.boundary_length or not gt.boundary_length:
        return float(pred.boundary_length == gt.boundary_length)
    precision = bit_plane.count(
        pred.boundary & gt.near) / pred.boundary_length
    recall = bit_plane.count(gt.boundary & pred.near) / gt.boundary_length
    if precision + recall == 0:
        return 0.0
    return 2 * precision * recall / (precision + recall)


def _per_frame(measures: Sequence[Callable[[Silhouette, Silhouette], float]],
               pred: np.ndarray, gt: np.ndarray, void: np.ndarray | None,
               bound_th: float) -> np.ndarray:
    """Values of some measures per frame, (len(measures), ...)."""
    pred, gt = np.asarray(pred), np.asarray(gt)
    if pred.shape != gt.shape or pred.ndim < 2:
        raise ValueError(
            f'prediction {pred.shape} and ground truth {gt.shape} must have '
            'one shape (..., H, W): bring the prediction to the frame size')
    if void is not None:
        void = np.broadcast_to(void, gt.shape)
    values = np.empty((len(measures), *gt.shape[:-2]))
    for frame in np.ndindex(gt.shape[:-2]):
        hidden = None
        if void is not None and void[frame].any():
            hidden = void[frame]
        sides = (Silhouette(pred[frame], hidden, bound_th),
                 Silhouette(gt[frame], hidden, bound_th))
        for i, measure in enumerate(measures):
            values[(i, *frame)] = measure(*sides)
    return values


def region_similarity(pred: np.ndarray,
                      gt: np.ndarray,
                      void: np.ndarray | None = None) -> np.ndarray:
    """Compute J per frame.

    Args:
        pred: (..., H, W) masks.
        gt: (..., H, W) masks.
        void: pixels that are not scored, broadcast to ``gt``.

    Returns:
        (...) float64 in [0, 1].

    Raises:
        ValueError: the shapes differ.
    """
    return _per_frame([region], pred, gt, void, BOUND_TH)[0]


def contour_accuracy(pred: np.ndarray,
                     gt: np.ndarray,
                     void: np.ndarray | None = None,
                     bound_th: float = BOUND_TH) -> np.ndarray:
    """Compute F per frame; see :func:`region_similarity`, and
    :func:`boundary_radius` for ``bound_th``."""
    return _per_frame([contour], pred, gt, void, bound_th)[0]


def region_and_contour(
        pred: np.ndarray,
        gt: np.ndarray,
        void: np.ndarray | None = None,
        bound_th: float = BOUND_TH) -> tuple[np.ndarray, np.ndarray]:
    """Compute J and F per frame; each mask is prepared once for both."""
    values = _per_frame([region, contour], pred, gt, void, bound_th)
    return values[0], values[1]
