from mmrvos.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__, {
        'mmrvos.command_line': ['clear_errors'],
        'mmrvos.home': ['find_checkpoint', 'home_folder'],
        '.checkpoint': [
            'CheckpointMismatch', 'checked_weights', 'fitted_weights',
            'load_weights', 'read_checkpoint', 'write_checkpoint'
        ],
        '.config': [
            'ConfigError', 'apply_options', 'default_work_dir', 'load_config',
            'needs_checkpoint', 'weights_from_checkpoint', 'without_downloads'
        ],
        '.files': [
            'check_output_file', 'check_output_folder', 'is_hidden',
            'natural_key', 'new_output_file', 'visible_files'
        ],
        '.images': [
            'MAX_PIXELS', 'check_shape', 'has_orientation', 'image_shape',
            'read_image', 'read_pixels'
        ],
        '.paths': [
            'MAX_ANNOTATION_BYTES', 'MAX_IMAGE_BYTES', 'MAX_WEIGHTS_BYTES',
            'brief', 'check_distinct', 'check_file', 'check_name', 'safe_join'
        ],
        '.plain_data': ['pack', 'unpack_history'],
        '.pretrained': ['strict_init'],
        '.rle': ['checked_rle', 'mask_areas'],
    })
