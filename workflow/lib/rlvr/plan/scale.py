"""A scale: what the names in grids are bound to, at which sizes, by which factors and with which resources.

A scale holds no paper's recipe. ``from: <other scale>`` takes everything that is not restated from another scale.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.schemas import check_against, check_name, load_yaml

REPLACED = ("datasets", "models", "stand_ins", "suites", "resources")  # a scale's own replace the other's


def load_scale(name: str, folder: Path, schemas: Path) -> dict[str, Any]:
    """The content of a scale file, checked, with what it takes from another one.

    Args:
        name: Stem of a file in ``folder``.
        folder: ``workflow/scales``.
        schemas: Folder of the JSON schemas.

    Raises:
        InputError: Names the file and the key that is wrong.
    """
    check_name("scale", name, sorted(path.stem for path in folder.glob("*.yaml")))
    path = folder / f"{name}.yaml"
    scale = _inherited(path, (name,))
    check_against(scale, schemas / "scale.schema.yaml", path)
    check_scale(scale, path)
    return scale


def _inherited(path: Path, seen: tuple[str, ...]) -> dict[str, Any]:
    """The content of a scale file over that of the scale that it names."""
    content = load_yaml(path)
    if not isinstance(content, dict):
        raise InputError(path, "is not a table of keys.", "See workflow/schemas/scale.schema.yaml.")
    parent = content.pop("from", None)
    if parent is None:
        return content
    if parent in seen:
        raise InputError(path, f"'from: {parent}' leads back to itself.", "Name a scale that stands on its own.")
    check_name("scale", parent, sorted(entry.stem for entry in path.parent.glob("*.yaml")), path)
    return overlay(_inherited(path.with_name(f"{parent}.yaml"), (*seen, parent)), content)


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One scale over another: blocks of settings key by key, tables of names as a whole."""
    merged = dict(below)
    for key, value in above.items():
        both_blocks = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) and key not in REPLACED
        merged[key] = overlay(merged[key], value) if both_blocks else value
    return merged


def check_scale(scale: Mapping[str, Any], path: Path) -> None:
    """Check what a JSON schema cannot: that the names within a scale point at each other.

    Raises:
        InputError: Names the key and the name.
    """
    check_models(scale, path)
    if unknown := sorted(set(scale.get("stand_ins", {})) - set(scale["models"])):
        raise InputError(path, f"stand_ins names '{unknown[0]}'.", "Add it under 'models'.")
    check_datasets(scale, path)
    check_devices(scale, path)
    members = [name for suite in scale["suites"].values() for name in suite]
    for name in members:
        if name not in scale["datasets"]:
            raise InputError(path, f"a suite names '{name}', which has no problems.", "Add it under 'datasets'.")
        if members.count(name) != 1:
            raise InputError(path, f"'{name}' is in {members.count(name)} suites.", "Expected at most one.")


def check_devices(scale: Mapping[str, Any], path: Path) -> None:
    """Check that training asks for as many GPUs as a run has processes.

    Raises:
        InputError: Names both keys.
    """
    devices, gpus = scale["settings"]["devices"], scale["resources"]["train"]["gpu"]
    if devices != gpus:
        problem = f"settings.devices is {devices}, and a job of training asks for resources.train.gpu {gpus}."
        raise InputError(path, problem, "Give both the same number of GPUs; 0 trains on the CPU.")


def check_models(scale: Mapping[str, Any], path: Path) -> None:
    """Check that a rotated model has a base here, and that pre-trained ones have a recipe.

    Raises:
        InputError: Names the model.
    """
    models = scale["models"]
    for name, model in models.items():
        parent = models.get(model["from"]) if model["kind"] == "rotated" else None
        if model["kind"] == "rotated" and (parent is None or parent["kind"] == "rotated"):
            problem = f"model '{name}' is rotated from '{model['from']}', which is no other kind of model here."
            raise InputError(path, problem, "Name a pretrained or a hub model of the scale.")
    if "pretrain" not in scale and any(model["kind"] == "pretrained" for model in models.values()):
        raise InputError(path, "has pretrained models but no key 'pretrain'.", "Add it (see scale tiny).")


def check_datasets(scale: Mapping[str, Any], path: Path) -> None:
    """Check that what data sets of a scale name is there, and that synthetic ones have a size.

    Raises:
        InputError: Names the data set and the key.
    """
    for name, dataset in scale["datasets"].items():
        for key, part in (("benchmark", "datasets"), ("stand_in_model", "models")):
            if dataset.get(key) not in {None, *scale[part]}:
                raise InputError(path, f"data set '{name}' names {key} '{dataset[key]}'.", f"Add it under '{part}'.")
        if dataset["origin"] == "synthetic" and "synthetic_rows" not in dataset:
            raise InputError(path, f"data set '{name}' is synthetic without a size.", "Add 'synthetic_rows'.")


def scale_ranks(ranks: Iterable[int], divisor: int) -> dict[int, int]:
    """The rank that is trained for every printed rank of a study; order and distinctness are kept.

    Each rank is divided by the divisor and rounded up; one that would meet a smaller one moves up to the next free
    rank. Multiples of the divisor alone are simply divided.

    >>> scale_ranks([8, 16, 256], 8), scale_ranks([1, 8, 16, 32], 8)
    ({8: 1, 16: 2, 256: 32}, {1: 1, 8: 2, 16: 3, 32: 4})
    """
    found: dict[int, int] = {}
    last = 0
    for rank in sorted(set(ranks)):
        last = max(-(-rank // divisor), last + 1)
        found[rank] = last
    return found
