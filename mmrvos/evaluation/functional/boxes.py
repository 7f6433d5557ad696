"""Overlap of boxes (RefCOCO)."""
import numpy as np


def enclosing_box(mask: np.ndarray) -> np.ndarray:
    """Compute the smallest box around an (H, W) mask.

    Returns:
        (x1, y1, x2, y2) float64 in pixels. x2 and y2 are one past the last
        pixel, so that a single pixel has width 1. Zeros for an empty mask.
    """
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return np.zeros(4)
    return np.array(
        [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=float)


def box_overlap(pred: np.ndarray,
                gt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute intersection and union of pairs of boxes.

    Args:
        pred, gt: (..., 4) as (x1, y1, x2, y2); a box with x2 < x1 or y2 < y1
            has no area.

    Returns:
        Two arrays (...), in square pixels.
    """
    pred, gt = np.asarray(pred, float), np.asarray(gt, float)
    sides = (np.minimum(pred[..., 2:], gt[..., 2:]) -
             np.maximum(pred[..., :2], gt[..., :2])).clip(min=0)
    intersection = sides.prod(axis=-1)
    areas = sum((b[..., 2:] - b[..., :2]).clip(min=0).prod(axis=-1)
                for b in (pred, gt))
    return intersection, areas - intersection
