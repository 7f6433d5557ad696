from .results import ExpressionResult, SegmentedFrames
from .rvos_inferencer import RVOSInferencer
from .video_source import open_video

__all__ = [
    'ExpressionResult', 'RVOSInferencer', 'SegmentedFrames', 'open_video'
]
