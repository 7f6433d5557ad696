"""Name the key of the config in errors about a part that cannot be built."""
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from mmengine.config import Config
from mmengine.registry import build_from_cfg

from mmrvos.utils.config_keys import walk


@contextmanager
def naming_keys(cfg: Config) -> Iterator[None]:
    """Add the dotted path of the part to an error raised while building it.

    Args:
        cfg: the config that is built in the block.
    """
    try:
        yield
    except Exception as error:
        node = built_last(error.__traceback__)
        if node is not None and (path := path_of(cfg, node)):
            error.add_note(f'raised while building {path} of the config')
        raise


def built_last(trace: TracebackType | None) -> Mapping | None:
    """Return the config that MMEngine was building when an error was raised,
    the innermost one."""
    nodes = [
        frame.f_locals.get('cfg') for frame, _ in traceback.walk_tb(trace)
        if frame.f_code is build_from_cfg.__code__
    ]
    return nodes[-1] if nodes and isinstance(nodes[-1], Mapping) else None


def path_of(cfg: Config, node: Mapping) -> str | None:
    """Find a part in a config; None if it is not there.

    Args:
        cfg: the config.
        node: config of the part; may have more keys than in ``cfg``, which
            the class around it adds.
    """
    for path, value in walk(cfg):
        if isinstance(value, Mapping) and 'type' in value and all(
                key in node and node[key] == item
                for key, item in value.items()):
            return path
    return None
