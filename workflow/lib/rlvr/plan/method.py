"""The declaration of a method, and the check of the settings that a row gives it."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from rlvr.core.errors import InputError
from rlvr.plan.targets import TARGET_SETS

SMALLEST: Mapping[str, int] = {"rank": 1, "axes": 2, "block_size": 2, "butterfly_factors": 1}  # settings that count
POSITIVE = ("alpha", "rate_ratio", "density")
SHARES = ("density",)
SETTINGS = (*SMALLEST, *POSITIVE, "target_modules")

FAMILIES: Mapping[str, str] = {
    "lora": "two low-rank factors beside a weight",
    "structured": "one structured matrix or operator beside a weight",
    "vectors": "gains and other vectors",
    "full": "every weight of the base",
    "sparse": "weights of the base at the entries of a mask",
}
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Method:
    """The declaration of a way to train: what can be said of it without importing what trains it.

    Attributes:
        name: Word used in grids.
        family: Word of ``FAMILIES`` by which a recipe gives its learning rate.
        takes: Grid settings that it uses, all required; a row that sets another one is refused.
        source: Paper that introduced it and code that we follow.
        example: Cells of a grid row, ranks as they are, that fit a model of hidden size 16; tests train with them.
        tuner: Class of the PEFT tuner that a run must end up with; ``None`` for a method without an adapter.
        marks: Fields of the PEFT configuration that tell it from its relatives.
        fields: Field of the PEFT configuration that must hold each resolved setting.
        frozen: Parts of names of the adapter's parameters that are not trained; all others are.
        exact_start: Whether the untrained model computes the base function.
        exports: Whether a run also writes merged weights, because its adapter has no formula in ``weights.updates``.
        decomposes: Whether it starts from singular vectors of the base.
        has_dropout: Whether it drops inputs of its adapter at random.
        shardable: Whether weights that it trains may be divided among processes.
    """

    name: str
    family: str
    takes: frozenset[str]
    source: str
    example: Mapping[str, Any]
    tuner: str | None = None
    marks: Mapping[str, Any] = NOTHING
    fields: Mapping[str, str] = NOTHING
    frozen: tuple[str, ...] = ()
    exact_start: bool = True
    exports: bool = False
    decomposes: bool = False
    has_dropout: bool = False
    shardable: bool = False


AnyMethod = TypeVar("AnyMethod", bound=Method)
Methods = Mapping[str, Method]


def look_up_method(where: object, name: str, methods: Mapping[str, AnyMethod]) -> AnyMethod:
    """The method of that name in a registry.

    Raises:
        InputError: If there is none; names ``where`` and the known methods.
    """
    if name not in methods:
        raise InputError(where, f"unknown method '{name}'.", f"Known methods: {', '.join(methods)}.")
    return methods[name]


def check_method_settings(where: object, method: str, settings: Mapping[str, Any], methods: Methods) -> None:
    """Check that a row sets exactly what its method uses: every setting is used or refused.

    Args:
        where: Grid row, named in the message.
        method: Value of the row's ``method``.
        settings: Those of ``SETTINGS`` that the row sets; ``None`` and the empty string count as not set.
        methods: The registry of methods.

    Raises:
        InputError: For an unknown method, a setting that the method ignores, a missing one, or an impossible value.
    """
    takes = look_up_method(where, method, methods).takes
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
