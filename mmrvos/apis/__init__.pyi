# __init__.py loads the relative imports when they are first used.
import mmrvos.model_index

from .frame_sources import VideoSource
from .live_video import LiveVideo
from .output_folder import OUTPUTS, check_folder
from .results import ExpressionResult, SegmentedFrames
from .rvos_inferencer import RVOSInferencer
from .video_source import open_video

ModelEntry = mmrvos.model_index.ModelEntry
find_model = mmrvos.model_index.find_model
read_model_index = mmrvos.model_index.read_model_index

__all__ = [
    'ExpressionResult', 'LiveVideo', 'ModelEntry', 'OUTPUTS',
    'RVOSInferencer', 'SegmentedFrames', 'VideoSource', 'check_folder',
    'find_model', 'open_video', 'read_model_index'
]
