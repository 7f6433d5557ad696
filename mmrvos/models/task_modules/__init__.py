from .frame_matcher import FrameMatcher
from .postprocessors import (
                             BestQuery,
                             MergeObjects,
                             RankQueries,
                             upsample,
)
from .sequence_matcher import SequenceMatcher, smooth_giou

__all__ = [
    'BestQuery', 'FrameMatcher', 'MergeObjects', 'RankQueries',
    'SequenceMatcher', 'smooth_giou', 'upsample'
]
