"""A scale: what the names in grids are bound to, at which sizes, by which factors and with which resources.

A scale holds no paper's recipe. ``from: <other scale>`` takes everything that is not restated from another scale.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.schemas import check_against, check_name, load_yaml

DERIVED = ("rotated", "tuned", "adapted")  # kinds of models that are made from another one
REPLACED = ("datasets", "models", "stand_ins", "suites", "resources", "sources")  # a scale's own replace the other's


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
    scale["models"] = expand_ladders(scale["models"], path)
    check_scale(scale, path)
    return scale


def expand_ladders(models: Mapping[str, Mapping[str, Any]], path: object) -> dict[str, Mapping[str, Any]]:
    """The models of a scale with one ``pretrained`` entry for each budget and seed of a ladder.

    >>> ladder = {"kind": "ladder", "architecture": "qwen3", "steps": [50, 100], "seeds": [1]}
    >>> list(expand_ladders({"maturity": ladder}, "example"))
    ['maturity-t50-p1', 'maturity-t100-p1']

    Raises:
        InputError: If a rung has the name of another model.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for name, model in models.items():
        rungs: dict[str, Mapping[str, Any]] = {name: model}
        if model["kind"] == "ladder":
            shared = {key: value for key, value in model.items() if key not in ("steps", "seeds")}
            rungs = {
                f"{name}-t{steps}-p{seed}": {**shared, "kind": "pretrained", "steps": steps, "seed": seed}
                for steps, seed in product(model["steps"], model["seeds"])
            }
        if taken := sorted(rungs.keys() & found.keys()):
            raise InputError(path, f"model '{taken[0]}' is declared twice.", "Rename the ladder or the model.")
        found |= rungs
    return found


def origin_of_model(name: str, models: Mapping[str, Mapping[str, Any]]) -> str:
    """The model that another one was rotated or tuned from, however often; a model of its own is itself.

    >>> models = {"a": {"kind": "hub"}, "b": {"kind": "tuned", "from": "a"}, "c": {"kind": "rotated", "from": "b"}}
    >>> origin_of_model("c", models)
    'a'
    """
    while models[name]["kind"] in DERIVED:
        name = models[name]["from"]
    return name


def prompts_like(name: str, scale: Mapping[str, Any]) -> str:
    """The first model of a scale whose prompts have the tokens that those of a model have: its tokenizer and template.

    A derived model has the tokenizer of its origin, and all models that are pre-trained here share one
    (``rlvr.bases.tokenizer``): lengths of prompts need not wait for each of them.
    """
    models = scale["models"]

    def traits(model: str) -> tuple[str, str]:
        origin = origin_of_model(model, models)
        kind = models[origin]["kind"]
        return kind if kind == "pretrained" else origin, models[model].get("template", scale["template"])

    return next(other for other in models if traits(other) == traits(name))


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
    """Check that what a model is made from is a base here, and that pre-trained and tuned ones have a recipe.

    Raises:
        InputError: Names the model.
    """
    models = scale["models"]
    for name, model in models.items():
        kind = model["kind"]
        parent = models.get(model["from"]) if kind in DERIVED else None
        if kind in DERIVED and (parent is None or parent["kind"] == "rotated" or kind == parent["kind"]):
            problem = f"model '{name}' is {kind} from '{model['from']}', which is no other kind of model here."
            raise InputError(path, problem, "Name a pretrained or a hub model of the scale.")
        if kind == "rotated" and not (model["rotated_layers"] or model["permuted_layers"]):
            problem = f"model '{name}' is rotated in no layer: rotated_layers and permuted_layers are both empty."
            raise InputError(path, problem, "Name a layer in one of them, or remove the model.")
        if kind == "tuned" and parent is not None and parent["kind"] != "pretrained":
            problem = f"model '{name}' is tuned from '{model['from']}', which is no small base of the workflow."
            raise InputError(path, problem, "Name a pretrained model: the texts suit its alphabet alone.")
    for kind, key in (("pretrained", "pretrain"), ("tuned", "tune")):
        if key not in scale and any(model["kind"] == kind for model in models.values()):
            raise InputError(path, f"has {kind} models but no key '{key}'.", "Add it (see scale tiny).")


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


def select_studies(asked: Sequence[str], scale: Mapping[str, Any], path: Path, known: Sequence[str]) -> list[str]:
    """The studies of a call: those of the configuration, or the scale's own where it has some.

    Args:
        asked: Studies that the configuration names; none for data and bases alone.
        scale: Content of the scale.
        path: Its file, for messages.
        known: Every study that there is.

    Returns:
        What was asked for; at a scale with studies of its own, those of them that were asked for, or all of them where
        none was.

    Raises:
        InputError: If the configuration or the scale names a study that is not there.
    """
    for name in asked:
        check_name("study", name, known)
    own = scale.get("studies")
    if own is None or not asked:
        return list(asked)
    for name in own:
        check_name("study", name, known, path)
    return [name for name in asked if name in own] or list(own)


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
