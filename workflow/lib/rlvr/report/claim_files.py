"""File shell of the claims: read cells, curves, scores of untrained bases and data cards, and write the verdicts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json
from rlvr.core.seeds import make_rng
from rlvr.plan.claim_grammar import COUNTS, Place
from rlvr.plan.claims import load_claims
from rlvr.report.cells import LABEL_SEPARATOR
from rlvr.report.claim_numbers import ClaimNumbers, Curve, Quantity, missing
from rlvr.report.claim_table import ClaimScope, family_of, judge_claims
from rlvr.report.comparing import Drawn, constant
from rlvr.report.evidence import read_tables
from rlvr.report.files import read_cells, write_text
from rlvr.stats.intervals import Interval
from rlvr.stats.resampling import DRAWS, two_piece

SYNTHETIC = "synthetic"
PERCENT = 100.0
SEEDLESS_UNITS = ("parameters",)  # of numbers that are the same for every seed


@dataclass(frozen=True)
class ClaimInputs:
    """Files that claims are judged by.

    Attributes:
        cells: CSV of the outputs whose cells they name.
        curves: CSV of the figures whose curves they name.
        bases: Scores of the untrained bases that they name.
        cards: Data cards of the data sets that they name.
    """

    cells: Sequence[str] = field(default_factory=tuple)
    curves: Sequence[str] = field(default_factory=tuple)
    bases: Sequence[str] = field(default_factory=tuple)
    cards: Sequence[str] = field(default_factory=tuple)


def check_claims_file(claims_path: str, inputs: ClaimInputs, scope: ClaimScope, csv_path: str, json_path: str) -> None:
    """Judge every claim of a study.

    Args:
        claims_path: The study's ``claims.yaml``.
        inputs: What they are judged by.
        scope: What is said of each of them.
        csv_path: One row per claim (:data:`rlvr.report.claim_table.CLAIM_COLUMNS`).
        json_path: The rows as ``claims``, and as ``family`` how many there are and how many chance would decide.
    """
    cells = read_cells(inputs.cells)
    table = judge_claims(load_claims(claims_path), read_numbers(cells, inputs, scope), printed_numbers(cells), scope)
    write_text(table.drop(columns="comparisons").to_csv(index=False), csv_path)
    write_json({"claims": table.to_dict("records"), "family": family_of(table, scope)}, json_path)


def read_numbers(cells: pd.DataFrame, inputs: ClaimInputs, scope: ClaimScope) -> ClaimNumbers:
    """Everything that the claims may read."""
    return ClaimNumbers(
        cells=reproduced_cells(cells, scope),
        bases=base_scores(inputs.bases),
        counts=dict(entry for path in inputs.cards for entry in card_counts(read_json(path)).items()),
        curves=dict(entry for path in inputs.curves for entry in read_curves(path).items()),
        seeds=scope.seeds,
    )


def reproduced_cells(cells: pd.DataFrame, scope: ClaimScope) -> dict[Place, Quantity]:
    """Reproduced numbers by (output, row, column)."""
    return {place_of(cell): _quantity(cell, draw_cell(cell, scope)) for cell in records(cells)}


def printed_numbers(cells: pd.DataFrame) -> ClaimNumbers:
    """The numbers that the paper prints in the same places, as numbers that are not uncertain."""
    lines = [cell for cell in records(cells) if not math.isnan(cell["reported"])]
    return ClaimNumbers(cells={place_of(cell): _quantity(cell, constant(cell["reported"])) for cell in lines})


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as mappings by column name."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def place_of(cell: Mapping[str, Any]) -> Place:
    """Where a cell stands."""
    return (cell["output"], cell["row"], cell["column"])


def draw_cell(cell: Mapping[str, Any], scope: ClaimScope) -> Drawn:
    """Draws of a cell from its own interval, independent of those of every other cell."""
    runs = [] if cell["unit"] in SEEDLESS_UNITS else cell["runs"].split()
    seeds = len({scope.seeds[run_id] for run_id in runs if run_id in scope.seeds}) or None
    value = float(cell["value"])
    if math.isnan(cell["low"]):
        return Drawn(value, np.full(DRAWS, value), seeds)
    scores_B = make_rng("cell", *place_of(cell)).standard_normal(DRAWS)
    return Drawn(value, value + two_piece(value, Interval(cell["low"], cell["high"]), scores_B), seeds)


def _quantity(cell: Mapping[str, Any], drawn: Drawn) -> Quantity:
    label = cell["label"].replace(LABEL_SEPARATOR, ", ")
    return Quantity(drawn, cell["unit"], int(cell["decimals"]), label, tuple(cell["runs"].split()))


def base_scores(paths: Sequence[str]) -> dict[Place, Quantity]:
    """Mean shares of right samples of untrained bases, in percent, by (model, benchmark)."""
    from rlvr.tables import SCORES

    scores = read_tables(paths, SCORES)
    lines = records(scores[scores["statistic"] == "avg_at_k"])
    return {(line["run_id"].removesuffix("_base"), line["benchmark"]): _base_score(line) for line in lines}


def _base_score(line: Mapping[str, Any]) -> Quantity:
    value, low, high = (PERCENT * line[name] for name in ("value", "low", "high"))
    scores_B = make_rng("base", line["run_id"], line["benchmark"]).standard_normal(DRAWS)
    drawn = Drawn(value, value + two_piece(value, Interval(low, high), scores_B))
    return Quantity(drawn, "%", 1, f"untrained {line['run_id'].removesuffix('_base')}, {line['benchmark']}")


def card_counts(card: Mapping[str, Any]) -> dict[Place, Quantity]:
    """Numbers of problems of a data card; of synthetic rows none is told, since nobody printed it."""
    dataset, steps = card["recipe"]["dataset"], card["counts"]
    if any(source["origin"] == SYNTHETIC for source in card["sources"]):
        return {(dataset, name): missing(f"{dataset}, {name} (its rows are synthetic here)") for name in COUNTS}
    cut = [step["after"] for step in steps if step["filter"].startswith("difficulty >=")]
    levels = (card["strata"] or {"drawn": [{}]})["drawn"][-1]
    found = {
        "read": steps[0]["before"],
        "cut": cut[0] if cut else None,
        "kept": steps[-1]["after"],
        **{name: split["problems"] for name, split in card["splits"].items()},
        **{level: levels[level] for level in ("easy", "medium", "hard") if level in levels},
    }
    return {
        (dataset, name): Quantity(constant(found[name]), "problems", 0, f"{dataset}, {name}")
        for name in COUNTS
        if found.get(name) is not None
    }


def read_curves(path: str) -> dict[Place, Curve]:
    """The curves of a figure's CSV by (figure, series).

    A metric over steps is read smoothed; of several runs of a series the mean. Of a decay it is the matrices with the
    most singular values, so that no index is a mean over fewer of them than another.

    Raises:
        InputError: If the CSV is of another kind of figure.
    """
    table, figure = pd.read_csv(path), Path(path).stem
    if {"series", "step", "smooth"} <= set(table.columns):
        return {
            (figure, str(name)): _curve(
                part.groupby("step")["smooth"].mean(), f"{name} ({figure})", list(part["run_id"])
            )
            for name, part in table.groupby("series")
        }
    if {"model", "values", "index", "mean"} <= set(table.columns):
        widest = table[table["values"] == table.groupby("model")["values"].transform("max")]
        return {
            (figure, str(name)): _curve(part.set_index("index")["mean"], f"{name} ({figure})")
            for name, part in widest.groupby("model")
        }
    raise InputError(path, "holds no curves that a claim can read.", "Expected a figure of kind curve or decay.")


def _curve(values: "pd.Series[float]", label: str, runs: Sequence[str] = ()) -> Curve:
    ordered = values.sort_index().astype(float)
    return Curve(ordered.index.to_numpy(), ordered.to_numpy(), label, runs=tuple(dict.fromkeys(runs)))
