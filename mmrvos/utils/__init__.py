from mmrvos.command_line import clear_errors
from mmrvos.home import find_checkpoint, home_folder

from .checkpoint import (
    CheckpointMismatch,
    checked_weights,
    fitted_weights,
    load_weights,
    read_checkpoint,
    write_checkpoint,
)
from .config import (
    ConfigError,
    apply_options,
    default_work_dir,
    load_config,
    weights_from_checkpoint,
    without_downloads,
)
from .files import (
    check_output_file,
    check_output_folder,
    is_hidden,
    natural_key,
    new_output_file,
    visible_files,
)
from .images import (
    MAX_PIXELS,
    check_shape,
    has_orientation,
    image_shape,
    read_image,
    read_pixels,
)
from .paths import (
    MAX_ANNOTATION_BYTES,
    MAX_IMAGE_BYTES,
    MAX_WEIGHTS_BYTES,
    check_distinct,
    check_file,
    check_name,
    safe_join,
)
from .plain_data import pack, unpack_history
from .pretrained import strict_init
from .rle import checked_rle, mask_areas

__all__ = [
    'MAX_ANNOTATION_BYTES', 'MAX_IMAGE_BYTES', 'MAX_PIXELS',
    'MAX_WEIGHTS_BYTES', 'CheckpointMismatch', 'ConfigError', 'apply_options',
    'check_distinct', 'check_file', 'check_name', 'check_output_file',
    'check_output_folder', 'check_shape', 'checked_rle', 'checked_weights',
    'clear_errors', 'default_work_dir', 'find_checkpoint', 'fitted_weights',
    'has_orientation', 'home_folder', 'image_shape', 'is_hidden',
    'load_config', 'load_weights', 'mask_areas', 'natural_key',
    'new_output_file', 'pack', 'read_checkpoint', 'read_image', 'read_pixels',
    'safe_join', 'strict_init', 'unpack_history', 'visible_files',
    'weights_from_checkpoint', 'without_downloads', 'write_checkpoint'
]
