# __init__.py loads these imports when they are first used.
from .limits import LimitedVideo, Limits
from .segmenter import Segmenter
from .server import check_address, import_gradio, serve

__all__ = [
    'LimitedVideo', 'Limits', 'Segmenter', 'check_address', 'import_gradio',
    'serve'
]
