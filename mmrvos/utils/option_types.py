"""Types of config values, checked against the annotations of the classes."""
import inspect
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from .paths import brief

_SEQUENCES = (list, tuple, Sequence, Iterable)
_NAMES = {
    bool: 'True or False',
    int: 'an integer',
    float: 'a number',
    str: 'a text',
    types.NoneType: 'None',
    dict: 'a dictionary',
    Callable: 'a function',
}
_PLURALS = {int: 'integers', float: 'numbers', str: 'texts'}


@cache
def option_types(found: Callable) -> dict[str, Any]:
    """Find the annotated types of the arguments of a class or function.

    Args:
        found: a class, whose base classes count as far as ``**kwargs``
            reaches them, or a function.

    Returns:
        {argument: annotation}, without arguments that have none.
    """
    known: dict[str, Any] = {}
    bases = inspect.getmro(found) if inspect.isclass(found) else (found, )
    for base in bases:
        if base is object or base.__module__ == 'torch.nn.modules.module':
            break
        function = vars(base).get('__init__') if inspect.isclass(
            base) else base
        if function is None:
            continue
        arguments = inspect.signature(function).parameters.values()
        hints = _hints(function)
        for argument in arguments:
            if argument.kind not in (argument.VAR_KEYWORD,
                                     argument.VAR_POSITIONAL):
                hint = hints.get(argument.name, Any)
                if argument.default is None:
                    hint = hint | None if hint is not Any else Any
                known.setdefault(argument.name, hint)
        if all(a.kind != a.VAR_KEYWORD for a in arguments):
            break
    return {name: hint for name, hint in known.items() if hint is not Any}


def _hints(function: Callable) -> dict[str, Any]:
    """Evaluate annotations, without those that name what only type checkers
    import."""
    hints = {}
    for name, hint in getattr(function, '__annotations__', {}).items():
        stub = types.SimpleNamespace(__annotations__={name: hint})
        with suppress(NameError, TypeError, SyntaxError):
            hints |= typing.get_type_hints(stub, _namespace(function))
    return hints


def _namespace(function: Callable) -> dict[str, Any]:
    return getattr(inspect.unwrap(function), '__globals__', {})


def check_options(found: Callable, options: Mapping[str, Any],
                  place: str = '') -> None:
    """Check config values against the annotations of the class they are for.

    Args:
        found: the class or function.
        options: argument to value; others are not checked.
        place: dotted path of the options in the config, for the message.

    Raises:
        TypeError: a value has another type.
    """
    for name, hint in option_types(found).items():
        if name in options and not fits(options[name], hint):
            at = f'{place}.{name}' if place else name
            raise TypeError(
                f'{at} is {brief(options[name])}, expected {describe(hint)}')


def fits(value: Any, hint: Any) -> bool:
    """Tell whether a config value has an annotated type.

    Lists and tuples are alike, as ``--cfg-options`` does not tell them apart.
    An integer is a number; True, False and NaN are not. A dictionary is
    accepted where an object or a function is expected: it is built later.
    """
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if origin is typing.Literal:
        return value in inner
    kind = origin or hint
    if kind is float:
        return type(value) in (int, float) and not math.isnan(value)
    if kind is int or kind is bool:
        return type(value) is kind
    if kind is str:
        return isinstance(value, str)
    if kind in (dict, Mapping):
        return isinstance(value, Mapping) and (not inner or all(
            fits(k, inner[0]) and fits(v, inner[1])
            for k, v in value.items()))
    if kind in _SEQUENCES:
        return isinstance(value, list | tuple) and _items_fit(
            value, kind, inner)
    if kind is types.NoneType:
        return value is None
    if kind is Callable:
        return callable(value) or isinstance(value, Mapping)
    if not inspect.isclass(kind):  # a type variable, for example
        return True
    return isinstance(value, kind | Mapping)


def _items_fit(value: Sequence, kind: Any, inner: tuple) -> bool:
    if kind is tuple and inner and inner[-1] is not Ellipsis:
        return len(value) == len(inner) and all(map(fits, value, inner))
    return not inner or all(fits(item, inner[0]) for item in value)


def describe(hint: Any) -> str:
    """Say in words what a type is, for a message."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return ' or '.join(dict.fromkeys(map(describe, inner)))
    if origin is typing.Literal:
        return ' or '.join(map(repr, inner))
    kind = origin or hint
    if kind in _SEQUENCES:
        is_fixed = kind is tuple and inner and inner[-1] is not Ellipsis
        count = f'{len(inner)} ' if is_fixed else ''
        items = _PLURALS.get(inner[0] if inner else None)
        return f'a list of {count}{items or "values"}'
    if kind in (dict, Mapping):
        items = _PLURALS.get(inner[1] if inner else None)
        return f'a dictionary of {items}' if items else 'a dictionary'
    return _NAMES.get(kind, getattr(kind, '__name__', str(kind)))
