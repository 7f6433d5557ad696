from .attention_block import AttentionBlock
from .deformable_attention import DeformableAttention, sample_levels
from .deformable_encoder import (
    DeformableDecoderLayer,
    DeformableEncoder,
    Memory,
    init_deformable,
    layer_cfgs,
)
from .dropout import Dropout
from .feed_forward import FeedForward
from .frame_attention import FrameAttention
from .position_encoding import clip_time_positions, sine_word_positions
from .resize import upsample
from .selective_attention import SelectiveAttention
from .temporal_mixer import TemporalMixer
from .tokens import (
    in_rows,
    join_frames,
    masked_mean,
    rows_at_once,
    split_frames,
    to_maps,
    to_tokens,
)
from .winograd import WinogradConv2d

__all__ = [
    'AttentionBlock', 'DeformableAttention', 'DeformableDecoderLayer',
    'DeformableEncoder', 'Dropout', 'FeedForward', 'FrameAttention', 'Memory',
    'SelectiveAttention', 'TemporalMixer', 'WinogradConv2d',
    'clip_time_positions', 'in_rows', 'init_deformable', 'join_frames',
    'layer_cfgs', 'masked_mean', 'rows_at_once', 'sample_levels',
    'sine_word_positions', 'split_frames', 'to_maps', 'to_tokens', 'upsample'
]
