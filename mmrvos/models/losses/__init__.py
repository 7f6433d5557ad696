from .focal_dice import mask_targets, sequence_dice, sigmoid_focal

__all__ = ['mask_targets', 'sequence_dice', 'sigmoid_focal']
