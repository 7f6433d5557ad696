# __init__.py loads the relative imports when they are first used.
import mmrvos.command_line
import mmrvos.home

from .checkpoint import (
    CheckpointMismatch,
    check_finite,
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
    needs_checkpoint,
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
from .key_values import KeyValueAction
from .paths import (
    MAX_ANNOTATION_BYTES,
    MAX_IMAGE_BYTES,
    MAX_WEIGHTS_BYTES,
    brief,
    check_distinct,
    check_file,
    check_name,
    safe_join,
)
from .plain_data import pack, unpack_history
from .pretrained import apply_init_cfg, strict_init
from .processes import map_in_processes
from .rle import checked_rle, mask_areas
from .texts import encoding_of, load_json, parse_json, read_lines

clear_errors = mmrvos.command_line.clear_errors
find_checkpoint = mmrvos.home.find_checkpoint
home_folder = mmrvos.home.home_folder

__all__ = [
    'CheckpointMismatch', 'ConfigError', 'KeyValueAction',
    'MAX_ANNOTATION_BYTES', 'MAX_IMAGE_BYTES', 'MAX_PIXELS',
    'MAX_WEIGHTS_BYTES', 'apply_init_cfg', 'apply_options', 'brief',
    'check_distinct', 'check_file', 'check_finite', 'check_name',
    'check_output_file', 'check_output_folder', 'check_shape', 'checked_rle',
    'checked_weights', 'clear_errors', 'default_work_dir', 'encoding_of',
    'find_checkpoint', 'fitted_weights', 'has_orientation', 'home_folder',
    'image_shape', 'is_hidden', 'load_config', 'load_json', 'load_weights',
    'map_in_processes', 'mask_areas', 'natural_key', 'needs_checkpoint',
    'new_output_file', 'pack', 'parse_json', 'read_checkpoint', 'read_image',
    'read_lines', 'read_pixels', 'safe_join', 'strict_init', 'unpack_history',
    'visible_files', 'weights_from_checkpoint', 'without_downloads',
    'write_checkpoint'
]
