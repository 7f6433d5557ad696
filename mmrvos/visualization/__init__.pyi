# __init__.py loads these names when they are first used.
from .drawing import (
    STYLES,
    contact_sheet,
    draw_legend,
    draw_masks,
    write_image,
)
from .overlay_writer import OverlayWriter
from .rvos_visualizer import RVOSVisualizer
from .video_writer import VideoWriter, check_fps, write_video

__all__ = [
    'OverlayWriter', 'RVOSVisualizer', 'STYLES', 'VideoWriter', 'check_fps',
    'contact_sheet', 'draw_legend', 'draw_masks', 'write_image', 'write_video'
]
