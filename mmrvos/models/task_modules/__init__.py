from .frame_matcher import FrameMatcher
from .instance_matcher import InstanceMatcher, assign
from .postprocessors import (
                             BestQuery,
                             MergeObjects,
                             RankQueries,
                             upsample,
)
from .sequence_matcher import SequenceMatcher, smooth_giou
from .temporal_scales import TemporalScale, draw_scales

__all__ = [
    'BestQuery', 'FrameMatcher', 'InstanceMatcher', 'MergeObjects',
    'RankQueries', 'SequenceMatcher', 'TemporalScale', 'assign', 'draw_scales',
    'smooth_giou', 'upsample'
]
