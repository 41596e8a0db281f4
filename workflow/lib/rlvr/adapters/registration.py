"""Our tuners made known to PEFT: at once where PEFT is loaded, otherwise as soon as it is.

Importing PEFT takes six seconds, which nobody pays who reads a grid and so imports ``rlvr.adapters``.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

PEFT = "peft"
TUNERS = ("rlvr.adapters.quanta", "rlvr.adapters.mora")  # importing one of them registers it
SHARED = "rlvr.adapters.peft_tuner"  # whoever imports this first is about to import a tuner


class AfterPeft(MetaPathFinder):
    """Finds nothing; when PEFT is about to be loaded, sees to it that our tuners are registered right behind it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of PEFT with a loader that registers our tuners; ``None`` for everything else."""
        if fullname != PEFT:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(PEFT)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                _import_tuners()

            loader.exec_module = execute_and_register
        return spec


def register_tuners() -> None:
    """Register both tuners now, or when PEFT is imported."""
    if PEFT in sys.modules:
        _import_tuners()
    elif not any(isinstance(finder, AfterPeft) for finder in sys.meta_path):
        sys.meta_path.insert(0, AfterPeft())


def _import_tuners() -> None:
    """Import the tuners; where that is going on already, the importer goes on to register its own."""
    if SHARED not in sys.modules:
        for name in TUNERS:
            import_module(name)
