"""What the registry says of a method, and the check of the settings that a row gives it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.targets import TARGET_SETS

SMALLEST: Mapping[str, int] = {"rank": 1, "axes": 2, "block_size": 2, "butterfly_factors": 1}  # settings that count
POSITIVE = ("alpha", "rate_ratio", "density")
SHARES = ("density",)
SETTINGS = (*SMALLEST, *POSITIVE, "target_modules")


@dataclass(frozen=True)
class Method:
    """A way to train.

    Its module has ``attach(base, settings) -> model`` and, where the method needs them:
    ``trained_names(base, settings)`` (last names of the adapted modules, the target set by default),
    ``optimizer(model, settings, optimizer_class, arguments)``, ``callbacks(model, settings)``, ``penalty(model)``
    (added to the loss), ``save_state(model, folder)`` with ``load_state(model, folder)`` (what a checkpoint needs
    beside PEFT's files), ``save_adapter(model, folder)`` (the finished adapter, where it is not PEFT's own files).
    Where the method ``decomposes``, ``attach`` takes a third argument: the file with the base's singular triples.

    Attributes:
        name: Word used in grids.
        family: Module of this package that attaches it.
        takes: Grid settings that it uses, all required; a row that sets another one is refused.
        source: Paper that introduced it and code that we follow.
        tuner: Class of the PEFT tuner that a run must end up with; ``None`` for a method without an adapter.
        marks: Fields of the PEFT configuration that tell it from its relatives.
        fields: Field of the PEFT configuration that must hold each resolved setting.
        frozen: Parts of names of the adapter's parameters that are not trained; all others are.
        exact_start: Whether the untrained model computes the base function.
        exports: Whether a run also writes merged weights, because its adapter has no formula in ``weights.updates``.
        decomposes: Whether it starts from singular vectors of the base.
        has_dropout: Whether it drops inputs of its adapter at random.
    """

    name: str
    family: str
    takes: frozenset[str]
    source: str
    tuner: str | None
    marks: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    exact_start: bool = True
    exports: bool = False
    decomposes: bool = False
    has_dropout: bool = False

    def load(self) -> ModuleType:
        """The module that attaches the method; imports torch and PEFT."""
        return import_module(f"rlvr.adapters.methods.{self.family}")

    def hook(self, name: str) -> Any:
        """A function of the method's module that not every method has, or ``None``."""
        return getattr(self.load(), name, None)


Methods = Mapping[str, Method]


def look_up_method(where: object, name: str, methods: Methods) -> Method:
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
