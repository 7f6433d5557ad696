"""Values that several parts of a model share are set once in its config."""
import inspect
from collections.abc import Mapping
from typing import Any

from mmrvos.registry import MODELS


def derive(name: str, cfg: Mapping | None,
           **values: tuple[str, Any]) -> dict | None:
    """Add the values to a part's config that follow from other keys.

    A value is added only where the part's constructor has a parameter of that
    name, so a part need not take all of them. A value that the config also
    sets itself must be equal.

    Args:
        name: the part's key, for messages.
        cfg: its config; None for a part that is switched off.
        values: per parameter, the key that determines it and its value.

    Returns:
        A new config; None for None.

    Raises:
        ValueError: the config sets another value; the message names both
            keys and both values.

    >>> derive('head', dict(type='ReferringHead'), num_layers=(
    ...     'decoder.num_layers', 4))
    {'type': 'ReferringHead', 'num_layers': 4}
    """
    if cfg is None:
        return None
    derived, known = dict(cfg), parameters(cfg)
    for key, (source, value) in values.items():
        if key in cfg:
            if not same(cfg[key], value):
                raise ValueError(
                    f'{name}.{key}={cfg[key]!r} contradicts {source}='
                    f'{value!r}: remove {name}.{key}, which follows from '
                    f'{source}, or change one of them')
        elif key in known:
            derived[key] = value
    return derived


def setting(cfg: Mapping, key: str) -> Any:
    """The value that a part's constructor gets for a parameter.

    Args:
        cfg: config of the part.
        key: name of the parameter.

    Returns:
        The config's value, or else the constructor's default; None where the
        constructor has no such parameter.
    """
    if key in cfg:
        return cfg[key]
    parameter = parameters(cfg).get(key)
    if parameter is None or parameter.default is inspect.Parameter.empty:
        return None
    return parameter.default


def settings(name: str, cfg: Mapping,
             *keys: str) -> dict[str, tuple[str, Any]]:
    """Values of a part as :func:`derive` takes them for another part.

    Args:
        name: the part's key.
        cfg: its config.
        keys: names of parameters; those without a value are left out.
    """
    values = {key: (f'{name}.{key}', setting(cfg, key)) for key in keys}
    return {key: value for key, value in values.items()
            if value[1] is not None}


def parameters(cfg: Mapping) -> dict[str, inspect.Parameter]:
    """Return the parameters of a part's constructor by name.

    They include those of base classes if the constructor has ``**kwargs``.
    """
    kind = cfg.get('type')
    if isinstance(kind, str):
        kind = MODELS.get(kind)
    if not inspect.isclass(kind):
        return {}  # MODELS.build raises an error for it
    found: dict[str, inspect.Parameter] = {}
    for base in inspect.getmro(kind):
        own = inspect.signature(base.__init__).parameters
        found = {**own, **found}
        if not any(p.kind is p.VAR_KEYWORD for p in own.values()):
            break
    return found


def same(a: Any, b: Any) -> bool:
    """Compare two values of a config; lists equal tuples."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return list(a) == list(b)
    return a == b
