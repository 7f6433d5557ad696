from .base import BasePostprocessor
from .best_query import BestQuery
from .merge_objects import MergeObjects
from .rank_queries import RankQueries

__all__ = ['BasePostprocessor', 'BestQuery', 'MergeObjects', 'RankQueries']
