"""The methods by name. A method's module is imported only when a run trains, so a grid is checked without torch."""

from collections.abc import Mapping

from rlvr.adapters.methods.entries import ENTRIES
from rlvr.plan.method import Method, look_up_method

METHODS: Mapping[str, Method] = {method.name: method for method in ENTRIES}


def find_method(where: object, name: str) -> Method:
    """The method of that name.

    Raises:
        InputError: If there is none; names ``where`` and the known methods.
    """
    return look_up_method(where, name, METHODS)
