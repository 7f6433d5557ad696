from lazy_loader import attach_stub

from mmrvos.model_index import ModelEntry, find_model, read_model_index

__getattr__, _, __all__ = attach_stub(__name__, __file__)
__all__ += ['ModelEntry', 'find_model', 'read_model_index']


def __dir__() -> list[str]:
    return __all__
