from .object_encoder import AttentionObjectEncoder, ConvObjectEncoder
from .pixel_self_attention import PixelSelfAttention

__all__ = [
    'AttentionObjectEncoder', 'ConvObjectEncoder', 'PixelSelfAttention'
]
