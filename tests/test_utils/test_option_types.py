import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import pytest
from mmengine.registry import Registry, init_default_scope

from mmrvos import registry
from mmrvos.utils.option_types import (
    check_options,
    describe,
    fits,
    option_types,
)

NAN = float('nan')


@pytest.mark.parametrize(('hint', 'right', 'wrong'), [
    (bool, [True, False], [0, 1, 'yes', None, 1.]),
    (int, [0, -3], [True, 1., '1', None, [1]]),
    (float, [0, 1.5, float('inf')], [True, NAN, '1e-3', None]),
    (str, ['', 'x'], [1, None, ['x'], b'x']),
    (int | None, [None, 2], ['None', 2.]),
    (dict, [{}, dict(a=1)], [None, 'x', []]),
    (dict[str, float], [{}, dict(a=1)], [dict(a='1'), {1: 1}]),
    (Mapping[str, dict | None], [dict(a=None)], [dict(a=1)]),
    (Sequence[int], [[], [1], (1, 2)], ['12', 1, [1.], [True], {}]),
    (tuple[float, float], [(1, 2), [1., 2.]], [(1, ), (1, 2, 3), '12']),
    (tuple[int, ...], [(), [1, 2, 3]], [['1']]),
    (int | Sequence[int], [1, [1]], ['1', None]),
    (Sequence[dict | Callable], [[{}, print]], [['x'], 'x', [1]]),
    (Literal['a', 'b'], ['a'], ['c', None]),
])
def test_fits(hint, right, wrong):
    assert [value for value in right if not fits(value, hint)] == []
    assert [value for value in wrong if fits(value, hint)] == []


def test_message():
    def build(width: int, sizes: tuple[int, int] = (1, 2), *, on=True,
              names: Sequence[str] | None = None) -> None:
        pass

    check_options(build, dict(width=3, on='anything', other=1))
    for options, message in (
        (dict(width='3'), "model.width is '3', expected an integer"),
        (dict(sizes=(1, )), 'sizes is (1,), expected a list of 2 integers'),
        (dict(names='ab'), 'expected a list of texts or None')):
        with pytest.raises(TypeError) as error:
            check_options(build, options, 'model')
        assert message in str(error.value)


def ours() -> list:
    init_default_scope('mmrvos')
    found = []
    for known in vars(registry).values():
        if isinstance(known, Registry):
            known.import_from_location()
            found += [
                kind for kind in known.module_dict.values()
                if kind.__module__.startswith('mmrvos.')
            ]
    return found


def test_all_options_of_our_classes_have_a_type():
    """A wrong value of an option is found before anything is built."""
    untyped = [
        f'{kind.__name__}.{name}' for kind in ours()
        for base in inspect.getmro(kind)
        if base.__module__.startswith('mmrvos.') and '__init__' in vars(base)
        for name, argument in inspect.signature(
            base.__init__).parameters.items()
        if name != 'self' and argument.kind not in (
            argument.VAR_KEYWORD, argument.VAR_POSITIONAL)
        and name not in option_types(base)
    ]
    assert untyped == []
    assert describe(bool) == 'True or False'
