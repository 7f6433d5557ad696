# __init__.py loads these names when they are first used.
from .generate import SPLITS, VERSION, ensure, generate
from .grammar import VOCABULARY

__all__ = ['SPLITS', 'VERSION', 'VOCABULARY', 'ensure', 'generate']
