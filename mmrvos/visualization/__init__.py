from .drawing import contact_sheet, draw_legend, draw_masks
from .rvos_visualizer import RVOSVisualizer, captions_of, write_image
from .video_writer import write_video

__all__ = [
    'RVOSVisualizer', 'captions_of', 'contact_sheet', 'draw_legend',
    'draw_masks', 'write_image', 'write_video'
]
