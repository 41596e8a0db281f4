"""Runs of studies bound to a scale: resolved settings of every row, and one run where two grids ask for the same."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.method import Methods
from rlvr.plan.recipe import resolve_settings
from rlvr.plan.scale import prompts_like, scale_ranks
from rlvr.plan.study import Study


def why_absent(model: str, scale: Mapping[str, Any]) -> str:
    """Why a scale does without a model, by its ``absent``; empty for one that it has or does not know of.

    >>> why_absent("rung-3", {"models": {}, "absent": {"rung-*": "too large"}})
    'too large'
    """
    reasons = scale.get("absent", {}).items() if model not in scale["models"] else ()
    return next((why for pattern, why in reasons if fnmatchcase(model, pattern)), "")


def bind(study: Study, scale_name: str, scale: Mapping[str, Any], methods: Methods) -> dict[str, dict[str, Any]]:
    """Resolved settings of every row of a study at a scale, by run id.

    Raises:
        InputError: Names the row and what the scale lacks.
    """
    ranks = scale_ranks(study.ranks, scale["factors"]["rank_divisor"])
    scale, specs = with_own_factors(study.name, scale), {}
    for run_id, row in study.rows.items():
        where = f"{study.grid_path}, run '{run_id}'"
        for column, known in (("model", scale["models"]), ("dataset", scale["datasets"])):
            if row[column] not in known and not (column == "model" and why_absent(row[column], scale)):
                remedy = f"Scale '{scale_name}' has: {', '.join(known)}. Add it there or change the row."
                raise InputError(where, f"{column} '{row[column]}' is not in the scale.", remedy)
        specs[run_id] = resolve_settings(row, study.recipe, scale, methods, ranks, study.grid_path)
    return specs


def with_own_factors(study: str, scale: Mapping[str, Any]) -> Mapping[str, Any]:
    """The scale with the factors on rates that it has for one study, over those that it has for all."""
    factors = scale["factors"]
    rates = {**factors["learning_rate"], **factors.get("studies", {}).get(study, {})}
    return {**scale, "factors": {**factors, "learning_rate": rates}}


def prompt_limits(
    scale_name: str, scale: Mapping[str, Any], names: Iterable[str], load: Callable[[str], Study], methods: Methods
) -> dict[str, dict[str, int]]:
    """The longest prompt that each model may see of a data set, in tokens, over every study and not only the selected.

    Models whose prompts have the same tokens (:func:`rlvr.plan.scale.prompts_like`) count as the first of them.

    A data set must not change when another study is selected. Where the runs of a model differ, the shortest limit
    counts. A study that does not load, or that the scale cannot serve, has no runs here; selecting it says why.

    Args:
        scale_name: Stem of the scale's file.
        scale: Its content.
        names: Every study.
        load: Loads a study by its name.
        methods: The registry of methods.

    Returns:
        Limits by data set and model.
    """
    limits: dict[str, dict[str, int]] = {}
    for name in names:
        try:
            specs = bind(load(name), scale_name, scale, methods)
        except InputError:
            continue
        for spec in specs.values():
            model = scale["datasets"][spec["dataset"]].get("stand_in_model", spec["model"])
            if model not in scale["models"]:
                continue
            model = prompts_like(model, scale)
            found, limit = limits.setdefault(spec["dataset"], {}), spec["max_prompt_tokens"]
            found[model] = min(limit, found.get(model, limit))
    return {dataset: dict(sorted(found.items())) for dataset, found in sorted(limits.items())}


def merge_specs(
    studies: Sequence[Study], specs_of: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """Settings of all runs by id, and the id under which a run with a twin is trained.

    Returns:
        Specs by run id; and, for each run whose settings another run has too, that other run's id.

    Raises:
        InputError: If one id stands for different settings in two studies.
    """
    merged: dict[str, Mapping[str, Any]] = {}
    owners: dict[str, Study] = {}
    first: dict[str, str] = {}
    renamed: dict[str, str] = {}
    for study in studies:
        for run_id, spec in specs_of[study.name].items():
            content = json.dumps({key: value for key, value in spec.items() if key != "run_id"}, sort_keys=True)
            if run_id in merged and merged[run_id] != spec:
                raise clash(run_id, owners[run_id], study, merged[run_id], spec)
            twin = first.setdefault(content, run_id)
            if twin != run_id:
                renamed[run_id] = twin
            else:
                merged[run_id], owners[run_id] = spec, owners.get(run_id, study)
    return merged, renamed


def clash(run_id: str, one: Study, other: Study, left: Mapping[str, Any], right: Mapping[str, Any]) -> InputError:
    """The error of one run id with two meanings: names the settings that differ."""
    keys = [key for key in left if left[key] != right.get(key)]
    shown = ", ".join(f"{key} ({left[key]} and {right.get(key)})" for key in keys[:4])
    problem = f"run '{run_id}' is also in {one.grid_path} with other settings: {shown}."
    return InputError(
        other.grid_path, problem, f"Give study '{other.name}' or '{one.name}' a run_tag in its study.yaml."
    )


def rename_runs(study: Study, renamed: Mapping[str, str]) -> Study:
    """The study with the ids under which its runs are trained."""
    rows = {renamed.get(run_id, run_id): row for run_id, row in study.rows.items()}
    return replace(study, rows={run_id: {**row, "run_id": run_id} for run_id, row in rows.items()})
