"""Packages whose public names are imported at their first use (SPEC 1)."""
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def attach(
    package: str, names: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Make ``__getattr__``, ``__dir__`` and ``__all__`` of a package.

    A name that needs PyTorch (a second of CPU time) then costs nothing until
    it is used. Not for packages that register classes by their import.

    Args:
        package: ``__name__`` of the package.
        names: public names by module, as after ``from``: ``.files``.
    """
    module_of = {name: module for module in names for name in names[module]}

    def __getattr__(name: str) -> Any:  # noqa: N807
        if name in module_of:
            return getattr(import_module(module_of[name], package), name)
        if f'.{name}' in names:
            return import_module(f'.{name}', package)
        raise AttributeError(f'module {package!r} has no attribute {name!r}')

    def __dir__() -> list[str]:  # noqa: N807
        return sorted(module_of)

    return __getattr__, __dir__, sorted(module_of)
