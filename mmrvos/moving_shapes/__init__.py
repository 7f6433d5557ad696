from .generate import VERSION, ensure, generate
from .grammar import VOCABULARY

__all__ = ['VERSION', 'VOCABULARY', 'ensure', 'generate']
