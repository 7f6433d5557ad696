from .results import ExpressionResult
from .rvos_inferencer import RVOSInferencer
from .video_source import open_video

__all__ = ['ExpressionResult', 'RVOSInferencer', 'open_video']
