"""Predictions on disk, in the layouts of the benchmarks."""
from .base import FileReader, Known, PredictionReader, base_sample
from .images import CandidateReader, ImageReader
from .label_maps import LabelMapReader
from .rle_json import RLEReader
from .video_masks import VideoMaskReader

__all__ = [
    'CandidateReader', 'FileReader', 'ImageReader', 'Known', 'LabelMapReader',
    'PredictionReader', 'RLEReader', 'VideoMaskReader', 'base_sample'
]
