"""The two sides of a base / fine-tuned pair: what a folder holds, and the tensors that no module's update covers."""

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.weights.tensors import TensorStore


@dataclass(frozen=True)
class TunedFolders:
    """Where the tuned side of a pair lies: an adapter, a full model, or both; see :func:`find_tuned`."""

    adapter: Path | None
    model: Path | None


def find_tuned(folder: str | Path) -> TunedFolders:
    """Find what a folder holds: an adapter, a full model, or both.

    Args:
        folder: A run (``adapter/``, ``model/`` or both inside), a PEFT adapter (``adapter_config.json``), or a
            checkpoint (``*.safetensors``).

    Raises:
        InputError: If it is none of them.
    """
    path = Path(folder)
    if (path / "adapter").is_dir() or (path / "model").is_dir():
        adapter, model = (part if part.is_dir() else None for part in (path / "adapter", path / "model"))
        return TunedFolders(adapter, model)
    if (path / "adapter_config.json").is_file():
        return TunedFolders(path, None)
    if any(path.glob("*.safetensors")):
        return TunedFolders(None, path)
    problem = "holds neither 'adapter/' nor 'model/', no adapter_config.json and no *.safetensors."
    raise InputError(path, problem, "Give a finished run, a PEFT adapter or a checkpoint in safetensors.")


@dataclass(frozen=True)
class StoredPair:
    """One tensor of both sides of a pair.

    Attributes:
        name: In the base model.
        shape: Of both sides.
        read_base: Reads the base's tensor.
        read_tuned: Reads the tuned one.
        same: Both sides are one file, so that nothing can differ.
    """

    name: str
    shape: tuple[int, ...]
    read_base: Callable[[], Tensor]
    read_tuned: Callable[[], Tensor]
    same: bool


def iterate_rest(base_dir: str | Path, tuned_dir: str | Path, seen: Collection[str]) -> Iterator[StoredPair]:
    """Every tensor that is not the weight of a module of the pair: embeddings, norms, biases, unchanged matrices.

    Vision towers are left out; :func:`vision_share` says how much of the model they are.

    Args:
        base_dir: Base model.
        tuned_dir: What :func:`find_tuned` knows. An adapter leaves these tensors as they are.
        seen: Modules that :func:`rlvr.weights.updates.iterate_updates` returned.

    Raises:
        InputError: If one side lacks a tensor of the other (a tied output head lacks none) or has another shape; the
            message names it.
    """
    base, model = TensorStore(base_dir), find_tuned(tuned_dir).model
    tuned = base if model is None else TensorStore(model)
    covered = {f"{module}.weight" for module in seen}
    for name in sorted({*base.language_names, *tuned.language_names} - covered):
        if base.shape(name) != tuned.shape(name):
            problem = f"tensor '{name}' has shape {base.shape(name)}, the tuned one {tuned.shape(name)}."
            raise InputError(base.folder, problem, "Use the base that the model was tuned from.")
        yield StoredPair(name, base.shape(name), partial(base.read, name), partial(tuned.read, name), tuned is base)


def vision_share(base_dir: str | Path) -> float:
    """Share of the parameters of a checkpoint that lie in a vision tower, by their names; 0 for a language model."""
    base = TensorStore(base_dir)
    sizes = {name: math.prod(base.shape(name)) for name in base.names}
    return 1.0 - sum(sizes[name] for name in base.language_names) / sum(sizes.values())
