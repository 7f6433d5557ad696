from lazy_loader import attach

from mmrvos.command_line import clear_errors
from mmrvos.home import find_checkpoint, home_folder

__getattr__, _, __all__ = attach(
    __name__,
    submod_attrs={
        'checkpoint': [
            'CheckpointMismatch', 'checked_weights', 'fitted_weights',
            'load_weights', 'read_checkpoint', 'write_checkpoint'
        ],
        'config': [
            'ConfigError', 'apply_options', 'default_work_dir', 'load_config',
            'needs_checkpoint', 'weights_from_checkpoint', 'without_downloads'
        ],
        'files': [
            'check_output_file', 'check_output_folder', 'is_hidden',
            'natural_key', 'new_output_file', 'visible_files'
        ],
        'images': [
            'MAX_PIXELS', 'check_shape', 'has_orientation', 'image_shape',
            'read_image', 'read_pixels'
        ],
        'paths': [
            'MAX_ANNOTATION_BYTES', 'MAX_IMAGE_BYTES', 'MAX_WEIGHTS_BYTES',
            'brief', 'check_distinct', 'check_file', 'check_name', 'safe_join'
        ],
        'plain_data': ['pack', 'unpack_history'],
        'pretrained': ['strict_init'],
        'rle': ['checked_rle', 'mask_areas'],
    })
__all__ += ['clear_errors', 'find_checkpoint', 'home_folder']


def __dir__() -> list[str]:
    return __all__
