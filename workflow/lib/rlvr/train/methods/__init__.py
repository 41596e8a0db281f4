"""Registry of methods: which settings each takes, what marks it in a finished run, where it comes from.

A method is one module beside this one with a function ``attach(base, settings) -> model``; it is imported only when a
run trains, so that the workflow can check a whole grid without torch.
"""

import math
from collections.abc import Mapping
from typing import Any

from rlvr.core.errors import InputError
from rlvr.train.methods.entries import ENTRIES
from rlvr.train.methods.method import Method
from rlvr.train.methods.targets import TARGET_SETS

METHODS: Mapping[str, Method] = {method.name: method for method in ENTRIES}

SMALLEST: Mapping[str, int] = {"rank": 1, "axes": 2, "block_size": 2, "butterfly_factors": 1}  # settings that count
POSITIVE = ("alpha", "rate_ratio", "density")
SHARES = ("density",)
SETTINGS = (*SMALLEST, *POSITIVE, "target_modules")


def find_method(where: object, name: str) -> Method:
    """The method of that name.

    Raises:
        InputError: If there is none; names ``where`` and the known methods.
    """
    if name not in METHODS:
        raise InputError(where, f"unknown method '{name}'.", f"Known methods: {', '.join(METHODS)}.")
    return METHODS[name]


def check_method_settings(where: object, method: str, settings: Mapping[str, Any]) -> None:
    """Check that a row sets exactly what its method uses: every setting is used or refused.

    Args:
        where: Grid row, named in the message.
        method: Value of the row's ``method``.
        settings: Those of ``SETTINGS`` that the row sets; ``None`` and the empty string count as not set.

    Raises:
        InputError: For an unknown method, a setting that the method ignores, a missing one, or an impossible value.
    """
    takes = find_method(where, method).takes
    given = {name: value for name, value in settings.items() if value is not None and value != ""}
    for name in given:
        if name not in takes:
            remedy = f"Leave it empty: '{method}' takes {_listed(takes)}."
            raise InputError(where, f"method '{method}' has no setting '{name}' (the row says {given[name]}).", remedy)
    for name in SETTINGS:
        if name in takes and name not in given:
            raise InputError(where, f"method '{method}' needs '{name}'.", f"'{method}' takes {_listed(takes)}.")
    _check_values(where, given)


def _check_values(where: object, given: Mapping[str, Any]) -> None:
    target_set = given.get("target_modules")
    if target_set is not None and target_set not in TARGET_SETS:
        raise InputError(where, f"unknown target set '{target_set}'.", f"Known sets: {', '.join(TARGET_SETS)}.")
    for name, smallest in SMALLEST.items():
        value = given.get(name)
        if value is not None and not (_is_number(value) and float(value) == int(float(value)) >= smallest):
            raise InputError(where, f"'{name}' is {value!r}.", f"Expected an integer of at least {smallest}.")
    for name in POSITIVE:
        value = given.get(name)
        if value is not None and not (_is_number(value) and float(value) > 0):
            raise InputError(where, f"'{name}' is {value!r}.", "Expected a positive number.")
    for name in SHARES:
        value = given.get(name)
        if value is not None and float(value) > 1:
            raise InputError(where, f"'{name}' is {value!r}.", "Expected a share of at most 1.")


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _listed(names: frozenset[str]) -> str:
    return ", ".join(name for name in SETTINGS if name in names) or "no settings"
