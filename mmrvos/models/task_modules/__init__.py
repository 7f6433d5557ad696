from .frame_matcher import FrameMatcher
from .instance_matcher import InstanceMatcher, assign
from .sequence_matcher import SequenceMatcher, smooth_giou
from .temporal_scales import TemporalScale, sample_scales

__all__ = [
    'FrameMatcher', 'InstanceMatcher', 'SequenceMatcher', 'TemporalScale',
    'assign', 'sample_scales', 'smooth_giou'
]
