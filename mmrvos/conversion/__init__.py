from lazy_loader import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    submod_attrs={
        'backbones': ['convert_convnext', 'convert_video_swin'],
        'key_map': ['Report', 'Rule', 'convert_keys'],
        'methods': ['METHODS'],
    })
