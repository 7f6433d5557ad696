from lazy_loader import attach_stub

from mmrvos.command_line import clear_errors
from mmrvos.home import find_checkpoint, home_folder

__getattr__, _, __all__ = attach_stub(__name__, __file__)
__all__ += ['clear_errors', 'find_checkpoint', 'home_folder']


def __dir__() -> list[str]:
    return __all__
