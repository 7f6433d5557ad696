"""J and F between all objects of two label maps."""
from collections.abc import Sequence

import numpy as np

from .region_contour import BOUND_TH, Silhouette, contour, region


def silhouettes(labels: np.ndarray,
                ids: Sequence[int],
                void: np.ndarray | None = None,
                bound_th: float = BOUND_TH) -> list[Silhouette]:
    """Prepare the objects of a label map for comparison.

    Args:
        labels: (H, W) integers.
        ids: labels of the objects; an absent label gives an empty mask.
        void: (H, W) bool, pixels that are not scored.
    """
    return [Silhouette(labels == i, void, bound_th) for i in ids]


def pairwise_jf(pred: Sequence[Silhouette],
                gt: Sequence[Silhouette]) -> np.ndarray:
    """Compute J and F of each of n predicted masks with each of m true masks.

    Returns:
        (2, n, m) float64, J first.
    """
    values = np.empty((2, len(pred), len(gt)))
    for i, ours in enumerate(pred):
        for k, theirs in enumerate(gt):
            values[:, i, k] = region(ours, theirs), contour(ours, theirs)
    return values
