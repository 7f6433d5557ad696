from mmrvos.model_index import ModelEntry, find_model, read_model_index

from .frame_sources import VideoSource
from .output_folder import OUTPUTS, check_folder
from .results import ExpressionResult, SegmentedFrames
from .rvos_inferencer import RVOSInferencer
from .video_source import open_video

__all__ = [
    'OUTPUTS', 'ExpressionResult', 'ModelEntry', 'RVOSInferencer',
    'SegmentedFrames', 'VideoSource', 'check_folder', 'find_model',
    'open_video', 'read_model_index'
]
