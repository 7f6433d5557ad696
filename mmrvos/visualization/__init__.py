from .drawing import contact_sheet, draw_legend, draw_masks, write_image
from .overlay_writer import OverlayWriter
from .rvos_visualizer import RVOSVisualizer, captions_of
from .video_writer import VideoWriter, write_video

__all__ = [
    'OverlayWriter', 'RVOSVisualizer', 'VideoWriter', 'captions_of',
    'contact_sheet', 'draw_legend', 'draw_masks', 'write_image', 'write_video'
]
