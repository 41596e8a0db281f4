"""The methods by name. A module of this folder holds one method or several that differ in little.

Every module has a tuple ``METHODS`` of instances of ``adapters.family.Family``; there is no other list to extend. The
order of the registry is that of the modules' names, then that of their tuples. Importing it loads neither torch nor
PEFT, so that a grid is checked without them.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules

from rlvr.adapters.family import Family
from rlvr.plan.method import look_up_method


def _find_methods() -> Iterator[Family]:
    for name in sorted(module.name for module in iter_modules(__path__)):
        yield from import_module(f"{__name__}.{name}").METHODS


def _by_name(methods: Iterator[Family]) -> dict[str, Family]:
    named: dict[str, Family] = {}
    for method in methods:
        if method.name in named:
            raise TypeError(f"Two methods are called '{method.name}': {named[method.name]!r} and {method!r}.")
        named[method.name] = method
    return named


METHODS: Mapping[str, Family] = _by_name(_find_methods())


def find_method(where: object, name: str) -> Family:
    """The method of that name.

    Raises:
        InputError: If there is none; names ``where`` and the known methods.
    """
    return look_up_method(where, name, METHODS)
