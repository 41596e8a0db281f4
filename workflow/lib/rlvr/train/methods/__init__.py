"""Registry of methods: which settings each takes, what marks it in a finished run, where it comes from.

A method is one module beside this one with a function ``attach(base, settings) -> model``; it is imported only when a
run trains, so that the workflow can check a whole grid without torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from rlvr.core.errors import InputError
from rlvr.train.methods.targets import TARGET_SETS

SETTINGS = ("rank", "alpha", "axes", "target_modules")
LOW_RANK = frozenset({"rank", "alpha", "target_modules"})
LOW_RANK_FIELDS: Mapping[str, str] = {"rank": "r", "alpha": "lora_alpha"}


@dataclass(frozen=True)
class Method:
    """A way to train.

    Attributes:
        name: Word used in grids.
        family: Module of this package that attaches it.
        takes: Grid settings that it uses, all required; a row that sets another one is refused.
        source: Paper that introduced it and code that we follow.
        tuner: Class of the PEFT tuner that a run must end up with; ``None`` for a method without an adapter.
        marks: Fields of the PEFT configuration that tell it from its relatives.
        fields: Field of the PEFT configuration that must hold each resolved setting.
    """

    name: str
    family: str
    takes: frozenset[str]
    source: str
    tuner: str | None
    marks: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)

    def load(self) -> ModuleType:
        """The module that attaches the method; imports torch and PEFT."""
        return import_module(f"rlvr.train.methods.{self.family}")


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="lora",
            family="lora",
            takes=LOW_RANK,
            source="Hu et al. 2021, arXiv:2106.09685; peft",
            tuner="LoraModel",
            marks={"use_dora": False, "use_rslora": False},
            fields=LOW_RANK_FIELDS,
        ),
        Method(
            name="dora",
            family="dora",
            takes=LOW_RANK,
            source="Liu et al. 2024, arXiv:2402.09353; peft",
            tuner="LoraModel",
            marks={"use_dora": True, "use_rslora": False},
            fields=LOW_RANK_FIELDS,
        ),
        Method(
            name="quanta",
            family="quanta",
            takes=frozenset({"axes", "target_modules"}),
            source="Chen et al. 2024, arXiv:2406.00132; rlvr.train.quanta",
            tuner="QuantaModel",
            fields={"dims": "dims"},
        ),
        Method(
            name="full",
            family="full",
            takes=frozenset(),
            source="every weight of the base is trained",
            tuner=None,
        ),
    )
}


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
    for name, smallest in (("rank", 1), ("axes", 2)):
        value = given.get(name)
        if value is not None and not (_is_number(value) and float(value) == int(float(value)) >= smallest):
            raise InputError(where, f"'{name}' is {value!r}.", f"Expected an integer of at least {smallest}.")
    alpha = given.get("alpha")
    if alpha is not None and not (_is_number(alpha) and float(alpha) > 0):
        raise InputError(where, f"'alpha' is {alpha!r}.", "Expected a positive number.")


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _listed(names: frozenset[str]) -> str:
    return ", ".join(name for name in SETTINGS if name in names) or "no settings"
