"""Methods asked for in words, ``lora:rank=8,alpha=16``, and what each would train and hold of a model: closed forms."""

import json
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from rlvr.core.errors import InputError
from rlvr.plan.grid import SEPARATOR
from rlvr.plan.memory import GIB, card_bytes, memory_row, run_load
from rlvr.plan.method import SMALLEST, Methods, check_method_settings, look_up_method
from rlvr.plan.real_size import settings_at_real_size
from rlvr.plan.settings import TrainSettings
from rlvr.plan.shapes import ModelShape, check_fit, shape_of

CONFIG_FILE = "config.json"
# ASSUME: what a word leaves out; rank, alpha and targets as in table 9 of "Structure Over Scale".
DEFAULTS: Mapping[str, Any] = {
    "rank": 16, "axes": 3, "block_size": 8, "butterfly_factors": 2, "rate_ratio": 16.0, "density": 0.1,
    "target_modules": "all_linear",
}  # fmt: skip
ALPHA_PER_RANK = 2.0
DIMS = "dims"


def read_shape(model: str, configs: Path) -> tuple[str, ModelShape]:
    """Name and shapes of a model: of a configuration that is shipped, or of a folder or file of one's own.

    Args:
        model: Name of a file in ``configs``, folder of a model, or path of a ``config.json``.
        configs: ``data/configs``.

    Raises:
        InputError: If there is no such configuration, or it is not that of a Llama-like decoder.
    """
    path = config_path(model, configs)
    try:
        return model, shape_of(json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            path, f"is no configuration of a Llama-like decoder ({error}).", "See data/configs."
        ) from error


def config_path(model: str, configs: Path) -> Path:
    """The configuration of a model by its name, its folder or itself.

    Raises:
        InputError: If there is none; lists the known names.
    """
    path = configs / f"{model}.json"
    if not path.is_file():
        path = Path(model) / CONFIG_FILE if Path(model).is_dir() else Path(model)
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in configs.glob("*.json")))
        raise InputError(f"model '{model}'", "is no known name, folder or config.json.", f"Known names: {known}.")
    return path


def read_changes(changes: Iterable[str]) -> dict[str, Any]:
    """Settings from words such as ``devices=1``; values are read as YAML reads them.

    Raises:
        InputError: For a word without ``=`` or a value that cannot be read.
    """
    found = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not (key and equals):
            raise InputError(f"--set {change}", "is no setting.", "Write <setting>=<value>.")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(
                f"--set {change}", "has a value that cannot be read.", "Write a number or a word."
            ) from error
    return found


def fit_lengths(scale: Mapping[str, Any], shape: ModelShape) -> dict[str, Any]:
    """A scale whose prompts and completions fit the positions of a model: a quarter of them for the prompt."""
    if shape.positions is None:
        return dict(scale)
    prompt = shape.positions // 4
    caps = {"max_prompt_tokens": prompt, "max_completion_tokens": shape.positions - prompt}
    lower = {key: min(cap, scale["caps"].get(key) or cap) for key, cap in caps.items()}
    return {**scale, "caps": {**scale["caps"], **lower}}


def read_words(words: Iterable[str], methods: Methods) -> list[dict[str, Any]]:
    """Rows of a grid from words such as ``lora:rank=8|16``: one row for each combination of values.

    Args:
        words: Name of a method, a colon, settings of it joined by commas; what is left out has ``DEFAULTS``. For QuanTA
            ``dims=16x16x16`` gives the axes themselves.
        methods: The registry of methods.

    Raises:
        InputError: Names the word and what is wrong with it.
    """
    return [row for word in words for row in _rows_of(word, methods)]


def _rows_of(word: str, methods: Methods) -> list[dict[str, Any]]:
    where = f"method '{word}'"
    name, _, rest = word.partition(":")
    takes = look_up_method(where, name, methods).takes
    given: dict[str, str] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not (equals and key and value) or key in given:
            raise InputError(where, f"'{part}' is no setting.", "Write <method>:<setting>=<value>,<setting>=<value>.")
        given[key] = value
    rows = []
    for values in product(*(value.split(SEPARATOR) for value in given.values())):
        cells: dict[str, Any] = {key: _typed(key, value, where) for key, value in zip(given, values, strict=True)}
        if DIMS in cells and "axes" in takes:
            cells["axes"] = len(cells[DIMS])
        settings = {key: value for key, value in DEFAULTS.items() if key in takes}
        if "alpha" in takes:
            settings["alpha"] = ALPHA_PER_RANK * float(cells.get("rank", settings.get("rank", 1)))
        row = settings | cells
        check_method_settings(where, name, {k: v for k, v in row.items() if k != DIMS or "axes" not in takes}, methods)
        shown = ",".join(f"{key}={value}" for key, value in zip(given, values, strict=True))
        rows.append({"run_id": f"{name}:{shown}" if shown else name, "method": name, **row})
    return rows


def _typed(key: str, value: str, where: str) -> Any:
    if key == "target_modules":
        return value
    try:
        if key == DIMS:
            return [int(side) for side in value.split("x")]
        return int(value) if key in SMALLEST else float(value)
    except ValueError as error:
        raise InputError(
            where, f"'{key}' is '{value}'.", "Expected a number, or sides joined by x for dims."
        ) from error


def asked_settings(
    row: Mapping[str, Any],
    recipe: Mapping[str, Any],
    scale: Mapping[str, Any],
    methods: Methods,
    changes: Mapping[str, Any],
) -> TrainSettings:
    """Settings of a row of :func:`read_words` under a recipe and a scale.

    Args:
        row: Method and its settings.
        recipe: Complete recipe of a study.
        scale: Content of a scale's file, for batch, lengths and devices.
        methods: The registry of methods.
        changes: Over all of these, e.g. ``max_completion_tokens``.

    Raises:
        InputError: If the settings contradict each other.
    """
    cells = {key: value for key, value in row.items() if key != DIMS}
    if DIMS in row:
        scale = {**scale, "quanta_dims": {row["axes"]: row[DIMS]}}
    resolved = settings_at_real_size({"model": "any", "dataset": "any", "seed": 0, **cells}, recipe, scale, methods)
    return TrainSettings.from_json({**resolved, **changes}, f"method '{row['run_id']}'")


def count_asked(
    shape: ModelShape, asked: Iterable[TrainSettings], methods: Methods, card_gib: float
) -> list[dict[str, Any]]:
    """What each setting trains of a model and holds on one card, by arithmetic.

    Args:
        shape: Of the model.
        asked: Settings, named by their ``run_id``.
        methods: The registry of methods.
        card_gib: Memory of a card in GiB.

    Returns:
        Per setting: method, trainable parameters, their share of the base in percent, bytes of both moments, and GiB
        on one card under each sharding.

    Raises:
        InputError: If a setting does not fit the model's weights.
    """
    rows = []
    for settings in asked:
        check_fit(settings.to_json(), shape, f"method '{settings.run_id}'")
        method = methods[settings.method]
        row = memory_row(shape, settings, method, card_gib)
        moments = card_bytes(run_load(shape, settings, method), shape, settings).moments
        share = 100 * row["trained"] / shape.parameters
        rows.append(
            {
                "method": settings.run_id,
                "trainable": row["trained"],
                "share_percent": float(f"{share:.4g}"),
                "optimizer_gib": float(f"{moments / GIB:.3g}"),
                **{name: row[name] for name in ("ddp", "zero2", "fsdp2", "fits")},
            }
        )
    return rows


def base_facts(name: str, shape: ModelShape) -> dict[str, Any]:
    """A model in one record: name, architecture, layers, width, parameters, and its size in bfloat16."""
    size = {"parameters": shape.parameters, "bfloat16_gib": round(2 * shape.parameters / GIB, 2)}
    return {"model": name, "architecture": shape.architecture, "layers": shape.layers, "hidden": shape.hidden} | size
