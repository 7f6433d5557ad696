from .checkpoint import (
    CheckpointMismatch,
    checked_weights,
    fitted_weights,
    load_weights,
    read_checkpoint,
)
from .command_line import clear_errors
from .config import (
    ConfigError,
    apply_options,
    default_work_dir,
    load_config,
    without_downloads,
)
from .files import (
    check_output_file,
    check_output_folder,
    is_hidden,
    natural_key,
    visible_files,
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
    'MAX_ANNOTATION_BYTES', 'MAX_IMAGE_BYTES', 'MAX_WEIGHTS_BYTES',
    'CheckpointMismatch', 'ConfigError', 'apply_options', 'check_distinct',
    'check_file', 'check_name', 'check_output_file', 'check_output_folder',
    'checked_rle', 'checked_weights', 'clear_errors', 'default_work_dir',
    'fitted_weights', 'is_hidden', 'load_config', 'load_weights', 'mask_areas',
    'natural_key', 'pack', 'read_checkpoint', 'safe_join',
    'strict_init', 'unpack_history', 'visible_files', 'without_downloads'
]
