from .checkpoint import CheckpointMismatch, load_weights, read_checkpoint
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
from .rle import checked_rle, mask_areas

__all__ = [
    'MAX_ANNOTATION_BYTES', 'MAX_IMAGE_BYTES', 'MAX_WEIGHTS_BYTES',
    'CheckpointMismatch', 'ConfigError', 'apply_options', 'check_distinct',
    'check_file', 'check_name', 'check_output_file', 'check_output_folder',
    'checked_rle', 'clear_errors', 'default_work_dir', 'is_hidden',
    'load_config', 'load_weights', 'mask_areas', 'natural_key',
    'read_checkpoint', 'safe_join', 'visible_files', 'without_downloads'
]
