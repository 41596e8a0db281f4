"""What the registry says of a method."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any


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
        exports: Whether a run also writes merged weights, because its adapter has no formula in ``models.updates``.
        decomposes: Whether it starts from singular vectors of the base.
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

    def load(self) -> ModuleType:
        """The module that attaches the method; imports torch and PEFT."""
        return import_module(f"rlvr.train.methods.{self.family}")

    def hook(self, name: str) -> Any:
        """A function of the method's module that not every method has, or ``None``."""
        return getattr(self.load(), name, None)
