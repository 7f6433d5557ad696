from .frame_sources import VideoSource
from .output_folder import OUTPUTS, check_folder
from .results import ExpressionResult, SegmentedFrames
from .rvos_inferencer import RVOSInferencer
from .video_source import open_video

__all__ = [
    'OUTPUTS', 'ExpressionResult', 'RVOSInferencer', 'SegmentedFrames',
    'VideoSource', 'check_folder', 'open_video'
]
