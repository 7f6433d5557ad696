from . import referformer
from .key_map import Report, Rule, convert_keys

METHODS = {'referformer': referformer.convert}

__all__ = ['METHODS', 'Report', 'Rule', 'convert_keys']
