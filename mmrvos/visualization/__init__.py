from lazy_loader import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    submod_attrs={
        'drawing': [
            'STYLES', 'contact_sheet', 'draw_legend', 'draw_masks',
            'write_image'
        ],
        'overlay_writer': ['OverlayWriter'],
        'rvos_visualizer': ['RVOSVisualizer'],
        'video_writer': ['VideoWriter', 'check_fps', 'write_video'],
    })
