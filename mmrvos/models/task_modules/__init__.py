from .postprocessors import BestQuery, MergeObjects, RankQueries
from .sequence_matcher import SequenceMatcher, smooth_giou

__all__ = [
    'BestQuery', 'MergeObjects', 'RankQueries', 'SequenceMatcher',
    'smooth_giou'
]
