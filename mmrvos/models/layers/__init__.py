from .deformable_attention import DeformableAttention, sample_levels
from .deformable_encoder import (
                                 DeformableDecoderLayer,
                                 DeformableEncoder,
                                 Memory,
                                 init_deformable,
                                 layer_cfgs,
)
from .position_encoding import sine_word_positions
from .tokens import to_maps, to_tokens

__all__ = [
    'DeformableAttention', 'DeformableDecoderLayer', 'DeformableEncoder',
    'Memory', 'init_deformable', 'layer_cfgs', 'sample_levels',
    'sine_word_positions', 'to_maps', 'to_tokens'
]
