from .dependencies import check_dependencies
from .version import __version__

check_dependencies()

from mmengine.config.utils import MODULE2PACKAGE  # noqa: E402

# Lets MMEngine resolve `mmrvos::referformer/tiny_shapes.py` and model names.
MODULE2PACKAGE.setdefault('mmrvos', 'mmrvos')

__all__ = ['__version__']
