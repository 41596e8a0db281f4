"""The base class of all methods: every place where a method may act on a run, and the default at that place.

A method is a subclass of ``Family`` in a module of ``adapters.methods``. Methods that differ in little share a parent,
which may declare attributes of its own. A definition that is neither a hook nor a declared attribute, or a hook that
cannot be called as the trainer calls it, is a ``TypeError`` when the module is imported: it would never be used.

Nothing here or in the modules of methods imports torch or PEFT before a hook is called, for a grid is checked without.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

from rlvr.plan.method import FAMILIES, Method

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from peft import PeftModel
    from torch import Tensor
    from torch.optim import Optimizer
    from transformers import PreTrainedModel, TrainerCallback

    from rlvr.plan.settings import TrainSettings

    Trained: TypeAlias = PreTrainedModel | PeftModel

READING = ("make_optimizer", "callbacks", "penalty", "save_state", "load_state")  # hooks that see weights in training
ADAPTER = "default"  # PEFT's name of the one adapter of a model


class Family(Method, ABC):
    """A method: its declaration and its hooks.

    Raises:
        TypeError: For a method that lacks an attribute without default or a count of its parameters, or whose
            ``family`` is none of ``FAMILIES``.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, value in vars(cls).items():
            if not name.startswith("_"):
                _check_definition(cls, name, value)

    def __init__(self) -> None:
        made = type(self)
        missing = [name for name in _declared(made) if not hasattr(self, name)]
        if made.count is Family.count and made.trained_parameters is Family.trained_parameters:
            missing.append("count")
        if missing:
            raise TypeError(f"{made.__qualname__} lacks {', '.join(missing)}.")
        if self.family not in FAMILIES:
            raise TypeError(f"{made.__qualname__}: family '{self.family}' is none of {', '.join(FAMILIES)}.")

    @property
    def shardable(self) -> bool:  # type: ignore[override]
        """Whether weights may be divided among processes: no hook of the method's own reads them while it trains."""
        return all(getattr(type(self), name) is getattr(Family, name) for name in READING)

    @abstractmethod
    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> Trained:
        """The base made trainable by the method; random factors are drawn from torch's global generator.

        Args:
            base: Model, which may lie on the meta device.
            settings: Of the run.
            decomposition: File with the base's singular triples, for a method that ``decomposes``; without it they are
                computed here.

        Raises:
            InputError: If the settings do not fit a weight, or the file is of another base.
        """

    def trained_names(self, base: PreTrainedModel, settings: TrainSettings) -> list[str] | None:
        """Last names of the modules that are trained, the target set by default; ``None`` for all of the model.

        Raises:
            InputError: For a target set or an architecture that has no such modules.
        """
        from rlvr.adapters.linears import target_names

        return target_names(base, settings.required("target_modules"))

    def trained_parameters(self, base: PreTrainedModel, settings: TrainSettings) -> dict[str, int | None]:
        """Closed-form number of trainable parameters of every trained module, by its name in the bare base.

        By default ``count`` of every linear module of the target set; a method that trains others overrides this.
        """
        from rlvr.adapters.linears import target_shapes

        shapes = target_shapes(base, self.trained_names(base, settings) or [])
        return {name: self.count(rows, cols, name, settings) for name, (rows, cols) in shapes.items()}

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int | None:
        """Trainable parameters of a linear module with a weight of rows x cols; ``None`` where its values decide."""
        raise NotImplementedError

    def make_optimizer(
        self,
        model: Trained,
        settings: TrainSettings,
        optimizer_class: type[Optimizer],
        arguments: Mapping[str, Any],
    ) -> Optimizer | None:
        """The run's optimizer, or ``None`` for the one of all other methods.

        Args:
            model: What ``attach`` made.
            settings: Of the run; weight decay is not among the arguments.
            optimizer_class: What every other method trains with.
            arguments: Its arguments: ``lr``, betas, eps.
        """
        return None

    def callbacks(self, model: Trained, settings: TrainSettings) -> list[TrainerCallback]:
        """Callbacks of the trainer, beside those that every run has."""
        return []

    def penalty(self, model: Trained) -> Tensor | None:
        """A scalar that is added to the loss of every step, or ``None``."""
        return None

    def save_state(self, model: Trained, folder: Path) -> None:
        """Write into a checkpoint what PEFT's files lack."""
        return

    def load_state(self, model: Trained, folder: Path) -> bool:
        """Restore the model from the files of ``save_state``; false lets the trainer load PEFT's files instead."""
        return False

    def save_adapter(self, model: PeftModel, folder: Path) -> None:
        """Write the finished adapter, in a layout that ``weights.updates`` reads or beside exported weights."""
        model.save_pretrained(str(folder), save_embedding_layers=False)

    def load_adapter(self, base: PreTrainedModel, folder: Path) -> PeftModel:
        """A base with a finished adapter, from the files of ``save_adapter``."""
        from peft import PeftModel

        return PeftModel.from_pretrained(base, str(folder))


def _check_definition(cls: type[Family], name: str, value: Any) -> None:
    """Refuse what nobody would call or read.

    Raises:
        TypeError: Names the class and its definition.
    """
    where, hooks = (
        f"{cls.__qualname__}.{name}",
        {key: hook for key, hook in vars(Family).items() if _is_hook(key, hook)},
    )
    if not inspect.isfunction(value):
        if name not in _declared(*cls.__mro__[1:]):
            raise TypeError(f"{where} is not an attribute of a method. A parent may declare it: `{name}: <type>`.")
    elif name not in hooks:
        raise TypeError(f"{where} is not a hook of a method. Hooks: {', '.join(hooks)}. Helpers start with '_'.")
    elif _parameters(value) != _parameters(hooks[name]):
        found, expected = inspect.signature(value), inspect.signature(hooks[name])
        raise TypeError(f"{where}{found} cannot stand for {name}{expected}.")


def _is_hook(name: str, value: Any) -> bool:
    return not name.startswith("_") and inspect.isfunction(value)


def _parameters(function: Any) -> list[tuple[str, Any, Any]]:
    parameters = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.kind, parameter.default) for parameter in parameters]


def _declared(*classes: type) -> list[str]:
    """Names of the annotated attributes of classes and their parents."""
    parents = dict.fromkeys(parent for cls in classes for parent in cls.__mro__)
    return [name for parent in parents for name in vars(parent).get("__annotations__", {})]
