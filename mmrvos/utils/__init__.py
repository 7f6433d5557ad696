from .checkpoint import CheckpointMismatch, load_weights, read_checkpoint
from .command_line import clear_errors
from .config import (
    ConfigError,
    apply_options,
    default_work_dir,
    load_config,
    without_downloads,
)
from .rle import checked_rle, mask_areas

__all__ = [
    'CheckpointMismatch', 'ConfigError', 'apply_options', 'checked_rle',
    'clear_errors',
    'default_work_dir', 'load_config', 'load_weights', 'mask_areas',
    'read_checkpoint', 'without_downloads'
]
