"""Every number that the paper's text may show: as JSON for Typst and as one LaTeX macro each."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rlvr.core.io import read_json, write_json
from rlvr.plan.printed import format_value
from rlvr.plan.statistics import HOUR_S
from rlvr.report.cells import LABEL_SEPARATOR, ReportScope
from rlvr.report.coverage import compute_facts, coverage_groups, output_counts, run_entries, tier_counts
from rlvr.report.evidence import read_tables
from rlvr.report.files import read_cells, write_text
from rlvr.report.render import escape_tex, reproduced_text, scope_notes

WORDS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
DIGITS = dict(zip("0123456789", WORDS, strict=True))
Tree = Mapping[str, Any]


def collect_numbers_file(
    scope: ReportScope,
    cells_paths: Sequence[str],
    scores_paths: Sequence[str],
    manifest_paths: Sequence[str],
    runs: Sequence[Mapping[str, Any]],
    json_path: str,
    tex_path: str,
) -> None:
    """Write ``numbers.json`` and ``numbers.tex``.

    Args:
        scope: Scale and runs of the tier.
        cells_paths: CSV of every output that has cells.
        scores_paths: Scores of any runs, the untrained bases among them.
        manifest_paths: ``run.json`` of the tier's runs.
        runs: Every row of the study's grid, as :func:`rlvr.plan.run_texts.describe_run` gives it.
        json_path: Nested numbers, every leaf a text that is ready to print; ``exact`` of a cell holds its unrounded
            value and interval, for comparisons.
        tex_path: LaTeX macros of these numbers.
    """
    from rlvr.tables import SCORES

    cells, manifests = read_cells(cells_paths), [read_json(path) for path in manifest_paths]
    scores = score_numbers(read_tables(scores_paths, SCORES))
    trained = [manifest["run_id"] for manifest in manifests]
    numbers = {
        "cells": cell_numbers(cells),
        "labels": row_labels(cells),
        "scores": scores,
        "models": dict(scope.stand_ins),
        "study": study_numbers(manifests, scope),
        "runs": run_entries(runs, manifests, scores),
        "coverage": {
            "groups": coverage_groups(runs, trained),
            "tiers": tier_counts(runs, trained),
            "outputs": output_counts(cells),
        },
        "compute": compute_facts(manifests),
    }
    write_json(numbers, json_path)
    write_text(macros(numbers), tex_path)


def cell_numbers(cells: pd.DataFrame) -> dict[str, Any]:
    """Texts of every cell by output, row key and column key: value, and where they exist low, high, printed, exact."""
    tree: dict[str, Any] = {}
    for cell in cells.to_dict("records"):
        entry = {"value": reproduced_text(cell), "verdict": cell["verdict"]}
        for end in ("low", "high"):
            if not math.isnan(cell[end]):
                entry[end] = format_value(cell[end], cell["decimals"], cell["unit"])
        if cell["printed"]:
            entry["printed"] = cell["printed"]
        if not math.isnan(cell["value"]):
            entry["exact"] = {end: None if math.isnan(cell[end]) else cell[end] for end in ("value", "low", "high")}
        tree.setdefault(cell["output"], {}).setdefault(cell["row"], {})[cell["column"]] = entry
    return tree


def row_labels(cells: pd.DataFrame) -> dict[str, dict[str, str]]:
    """What the rows of each output are called, by output and row key."""
    tree: dict[str, dict[str, str]] = {}
    for cell in cells.to_dict("records"):
        tree.setdefault(cell["output"], {})[cell["row"]] = cell["label"].replace(LABEL_SEPARATOR, ", ")
    return tree


def score_numbers(scores: pd.DataFrame) -> dict[str, Any]:
    """Texts of every score, in percent with one decimal, by run id, benchmark and statistic; ``exact`` as in cells."""
    tree: dict[str, Any] = {}
    for line in scores.to_dict("records"):
        exact = {end: 100 * line[end] for end in ("value", "low", "high")}
        entry: dict[str, Any] = {end: f"{number:.1f}" for end, number in exact.items()} | {"exact": exact}
        entry |= {"k": str(line["k"]), "problems": str(line["n_problems"])}
        entry |= {name: f"{100 * line[name]:.1f}" for name in ("unparsed_share", "timed_out_share", "truncated_share")}
        if not math.isnan(line["lost_share"]):
            entry["lost_share"] = f"{100 * line['lost_share']:.1f}"
        tree.setdefault(line["run_id"], {}).setdefault(line["benchmark"], {})[line["statistic"]] = entry
    return tree


def study_numbers(manifests: Sequence[Mapping[str, Any]], scope: ReportScope) -> dict[str, str]:
    """Counts over the trained runs of the tier, and notes on the scale for captions."""
    seeds = sorted({manifest["settings"]["seed"] for manifest in manifests})
    return {
        "scale": scope.scale,
        "note": " ".join(scope_notes(scope)),
        "data_note": "" if scope.comparable else f"Scale '{scope.scale}': a small stand-in for the data set.",
        "runs": str(len(manifests)),
        "models": str(len({manifest["settings"]["model"] for manifest in manifests})),
        "seeds": ", ".join(map(str, seeds)),
        "training_hours": f"{sum(manifest['wall_time_s'] for manifest in manifests) / HOUR_S:.2f}",
    }


def macros(numbers: Tree) -> str:
    """One LaTeX command for each number of the cells and of the study; scores and verdicts stay in the JSON.

    Raises:
        ValueError: If two numbers would share a name.
    """
    found = [*_leaves(numbers["cells"]), *_leaves(numbers["study"])]
    leaves = [(path, text) for path, text in found if path[-1] != "verdict" and "exact" not in path]
    names = [macro_name(path) for path, _ in leaves]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"Numbers share a macro: {sorted(repeated)[:5]}")
    lines = [f"\\newcommand{{\\{name}}}{{{escape_tex(text)}}}" for name, (_, text) in zip(names, leaves, strict=True)]
    return "\n".join(["% Generated by collect_numbers; do not edit.", *lines]) + "\n"


def macro_name(path: Sequence[str]) -> str:
    """Letters only: ``table4, lora-r8, accuracy_ratio, low`` becomes ``TableFourLoraREightAccuracyRatioLow``."""
    words = [word for part in path if part != "value" for word in _words(part)]
    return "".join(word[0].upper() + word[1:] for word in words)


def _words(part: str) -> list[str]:
    spelled = "".join(f"-{DIGITS[character]}-" if character in DIGITS else character for character in part)
    return [word for word in spelled.replace("_", "-").split("-") if word]


def _leaves(tree: Tree, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    found = []
    for key, value in tree.items():
        found += _leaves(value, (*path, key)) if isinstance(value, Mapping) else [((*path, key), str(value))]
    return found
