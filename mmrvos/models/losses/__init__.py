from .boundary import balanced_cross_entropy, mask_boundaries
from .focal_dice import (
    cell_targets,
    mask_targets,
    sequence_dice,
    sigmoid_focal,
)

__all__ = [
    'balanced_cross_entropy', 'cell_targets', 'mask_boundaries',
    'mask_targets', 'sequence_dice', 'sigmoid_focal'
]
