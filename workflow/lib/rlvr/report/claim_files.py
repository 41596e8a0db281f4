"""File shell of the claims: read what they are judged by, and write the verdicts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from rlvr.core.csvfile import csv_text
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json
from rlvr.plan.claim_grammar import COUNTS, LeafKind, Place
from rlvr.plan.claims import Claim, load_claims, places_of
from rlvr.plan.outputs import Column, Output, Row
from rlvr.plan.printed import parse_printed
from rlvr.plan.selection import BASE_SUFFIX
from rlvr.plan.stand_ins import SYNTHETIC
from rlvr.report.claim_numbers import ClaimNumbers, Curve, Quantity, missing
from rlvr.report.claim_table import OF_DOCUMENTS, ClaimScope, family_of, judge_claims
from rlvr.report.comparing import constant, draw
from rlvr.report.evidence import Evidence, InputPaths, load_evidence
from rlvr.report.files import write_text
from rlvr.report.measurements import draw_cell, measure
from rlvr.report.scope import ReportScope, usable_sides


@dataclass(frozen=True)
class ClaimInputs:
    """Files that claims are judged by.

    Attributes:
        evidence: Finished results by kind.
        curves: CSV of the figures whose curves they name.
        cards: Data cards of the data sets that they name.
    """

    evidence: InputPaths = field(default_factory=dict)
    curves: Sequence[str] = field(default_factory=tuple)
    cards: Sequence[str] = field(default_factory=tuple)


def check_claims_file(
    claims_path: str,
    declarations: Sequence[Mapping[str, Any]],
    inputs: ClaimInputs,
    scope: ClaimScope,
    csv_path: str,
    json_path: str,
) -> None:
    """Judge every claim of a study.

    Args:
        claims_path: The study's ``claims.yaml``.
        declarations: The outputs whose cells the claims name, as :func:`rlvr.plan.claims.claimed_outputs` cuts them.
        inputs: What they are judged by.
        scope: What is said of each of them, and which results there are.
        csv_path: One row per claim (:data:`rlvr.report.claim_table.CLAIM_COLUMNS`).
        json_path: The rows as ``claims``, and as ``family`` how many there are and how many chance would decide.
    """
    claims, outputs = load_claims(claims_path), [Output.read(each) for each in declarations]
    numbers = read_numbers(claims, outputs, inputs, scope.results)
    table = judge_claims(claims, numbers, printed_numbers(outputs), scope)
    write_text(csv_text(table.drop(columns=list(OF_DOCUMENTS))), csv_path)
    write_json({"claims": table.to_dict("records"), "family": family_of(table, scope)}, json_path)


def read_numbers(
    claims: Sequence[Claim], outputs: Sequence[Output], inputs: ClaimInputs, results: ReportScope
) -> ClaimNumbers:
    """Everything that the claims may read."""
    evidence = load_evidence(inputs.evidence)
    return ClaimNumbers(
        cells=reproduced_cells(outputs, evidence, results, over_seeds=True),
        shown=reproduced_cells(outputs, evidence, results, over_seeds=False),
        bases=base_scores(places_of(claims, LeafKind.BASE), evidence, results),
        counts=dict(entry for path in inputs.cards for entry in card_counts(read_json(path)).items()),
        curves=dict(entry for path in inputs.curves for entry in read_curves(path).items()),
        seeds=results.seeds,
    )


def reproduced_cells(
    outputs: Iterable[Output], evidence: Evidence, results: ReportScope, over_seeds: bool
) -> dict[Place, Quantity]:
    """Reproduced numbers by (output, row, column).

    Args:
        outputs: Declarations.
        evidence: Results of the runs, and of those that differ from them in their seed only.
        results: Which runs there are.
        over_seeds: Whether a run stands for its configuration, with all its seeds. Otherwise it stands for itself, and
            no statement about other seeds rests on it.
    """
    found: dict[Place, Quantity] = {}
    for output in outputs:
        for row, column in output.cells():
            drawn = draw_cell(row, column, evidence, results, over_seeds)
            drawn = drawn if over_seeds else replace(drawn, seeds=None)
            runs = runs_behind(row, column, results, over_seeds)
            digits = max(column.decimals, digits_of(output, row, column))  # "~900" would hide the digits of 4.5
            quantity = Quantity(drawn, column.unit, digits, ", ".join(row.labels), runs)
            found[output.key, row.key, column.key] = quantity
    return found


def runs_behind(row: Row, column: Column, results: ReportScope, over_seeds: bool) -> tuple[str, ...]:
    """Ids of the runs that a cell is drawn from."""
    named = [run_id for side in usable_sides(row, column, results.runs) for run_id in side]
    over = over_seeds and column.reduce not in ("mean", "std") and not column.shown.is_exact
    groups = [results.siblings.get(run_id, (run_id,)) if over else (run_id,) for run_id in named]
    return tuple(dict.fromkeys(run_id for group in groups for run_id in group))


def printed_numbers(outputs: Iterable[Output]) -> ClaimNumbers:
    """The numbers that the paper prints in the same places, as numbers that are not uncertain."""
    cells: dict[Place, Quantity] = {}
    for output in outputs:
        for row, column in output.cells():
            text = output.printed(row, column)
            if text is not None:
                drawn = constant(parse_printed(text).value)
                place = (output.key, row.key, column.key)
                cells[place] = Quantity(drawn, column.unit, digits_of(output, row, column), ", ".join(row.labels))
    return ClaimNumbers(cells=cells, shown=cells)


def digits_of(output: Output, row: Row, column: Column) -> int:
    """Digits after the point: as printed, otherwise as the column says."""
    text = output.printed(row, column)
    return column.decimals if text is None else parse_printed(text).decimals


def base_scores(places: Iterable[Place], evidence: Evidence, results: ReportScope) -> dict[Place, Quantity]:
    """Mean shares of right samples of untrained bases, in percent, by (model, benchmark); those that were scored."""
    found: dict[Place, Quantity] = {}
    for model, benchmark in places:
        run_id = f"{model}{BASE_SUFFIX}"
        if (run_id, benchmark, "avg_at_k") in evidence.scores.index:
            column = Column("base", ("",), "avg_at_k", benchmarks=(benchmark,))
            drawn = replace(draw(measure((run_id,), column, evidence, results.seeds)), seeds=None)
            found[model, benchmark] = Quantity(drawn, "%", 1, f"untrained {model}, {benchmark}")
    return found


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
    most singular values, so that no index is a mean over fewer of them than another. Lines are read as they are drawn.

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
    if {"series", "index", "mean", "runs"} <= set(table.columns):
        lines = table.dropna(subset=["series", "index"])
        return {
            (figure, str(name)): _curve(
                part.set_index("index")["mean"], f"{name} ({figure})", " ".join(part["runs"]).split()
            )
            for name, part in lines.groupby("series")
        }
    raise InputError(
        path, "holds no curves that a claim can read.", "Expected a figure with lines, a curve or a decay."
    )


def _curve(values: "pd.Series[float]", label: str, runs: Sequence[str] = ()) -> Curve:
    ordered = values.sort_index().astype(float)
    return Curve(ordered.index.to_numpy(), ordered.to_numpy(), label, runs=tuple(dict.fromkeys(runs)))
