"""Verdicts on claims: holds, fails, undecided, not run."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from rlvr.core.io import write_json
from rlvr.plan.claims import Claim, Comparison, Place, as_place, load_claims
from rlvr.plan.printed import MINUS, format_value
from rlvr.plan.verdict_words import ClaimVerdict
from rlvr.report.cells import difference
from rlvr.report.evidence import Estimate
from rlvr.report.files import read_cells, write_text

CLAIM_COLUMNS = ("claim", "where", "sentence", "verdict", "numbers")
WORST_FIRST = (ClaimVerdict.FAILS, ClaimVerdict.NOT_RUN, ClaimVerdict.UNDECIDED, ClaimVerdict.HOLDS)
EXTREMES = {"largest": max, "smallest": min}


def check_claims_file(claims_path: str, cells_paths: Sequence[str], csv_path: str, json_path: str) -> None:
    """Judge every claim of a study; write one row per claim, with the numbers used.

    Args:
        claims_path: The study's ``claims.yaml``.
        cells_paths: CSV of the outputs that the claims name (see :func:`rlvr.plan.claims.required_outputs`).
        csv_path: Columns claim, where, sentence, verdict, numbers.
        json_path: The rows of the CSV as JSON, for the Typst document.
    """
    table = judge_claims(load_claims(claims_path), index_cells(read_cells(cells_paths)))
    write_text(table.to_csv(index=False), csv_path)
    write_json(table.to_dict("records"), json_path)


def index_cells(cells: pd.DataFrame) -> dict[Place, Estimate]:
    """Reproduced numbers by (output, row key, column key)."""
    return {
        (cell["output"], cell["row"], cell["column"]): Estimate(cell["value"], cell["low"], cell["high"])
        for cell in cells.to_dict("records")
    }


def judge_claims(claims: Iterable[Claim], estimates: Mapping[Place, Estimate]) -> pd.DataFrame:
    """One row per claim: verdict and the numbers behind it."""
    rows = [
        {
            "claim": claim.key,
            "where": claim.where,
            "sentence": claim.sentence,
            "verdict": judge_claim(claim, estimates),
            "numbers": "; ".join(comparison_text(part, estimates) for part in claim.comparisons),
        }
        for claim in claims
    ]
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))


def judge_claim(claim: Claim, estimates: Mapping[Place, Estimate]) -> ClaimVerdict:
    """``fails`` if one comparison fails; otherwise ``not run`` or ``undecided`` if one is; otherwise ``holds``."""
    verdicts = {judge_comparison(part, estimates) for part in claim.comparisons}
    return next(verdict for verdict in WORST_FIRST if verdict in verdicts)


def judge_comparison(part: Comparison, estimates: Mapping[Place, Estimate]) -> ClaimVerdict:
    """Verdict of one comparison from the interval of the difference; the bare numbers decide where there is none.

    ``exceeds`` holds when the whole interval lies above the margin, fails when none of it does, and is undecided
    otherwise; ``within`` likewise for the band from minus to plus the margin.
    """
    gap = _gap(part, estimates)
    if math.isnan(gap.value):
        return ClaimVerdict.NOT_RUN
    low, high = (gap.value if math.isnan(end) else end for end in (gap.low, gap.high))
    if part.op == "exceeds":
        holds, fails = low > part.margin, high <= part.margin
    else:
        holds, fails = max(abs(low), abs(high)) <= part.margin, low > part.margin or high < -part.margin
    if holds:
        return ClaimVerdict.HOLDS
    return ClaimVerdict.FAILS if fails else ClaimVerdict.UNDECIDED


def comparison_text(part: Comparison, estimates: Mapping[Place, Estimate]) -> str:
    """The numbers of a comparison, e.g. ``78.1 - 4.7 = 73.4 [67.0, 79.1], asked: > 20``."""
    left, right, gap = operand_value(part.left, estimates), operand_value(part.right, estimates), _gap(part, estimates)
    if math.isnan(gap.value):
        return ClaimVerdict.NOT_RUN.value
    first, second, result, low, high = (format_value(number, 1, "1") for number in (left.value, right.value, *gap))
    interval = "" if math.isnan(gap.low) else f" [{low}, {high}]"
    asked = f"> {part.margin:g}" if part.op == "exceeds" else f"within \N{PLUS-MINUS SIGN}{part.margin:g}"
    subtrahend = f"({second})" if right.value < 0 else second
    return f"{first} {MINUS} {subtrahend} = {result}{interval}, asked: {asked}"


def operand_value(operand: Any, estimates: Mapping[Place, Estimate]) -> Estimate:
    """An operand's estimate; NaN if a cell that it needs was not run."""
    if isinstance(operand, str):
        return estimates.get(as_place(operand), Estimate(math.nan))
    if isinstance(operand, Mapping):
        ((name, operands),) = operand.items()
        found = [operand_value(entry, estimates) for entry in operands]
        missing = [estimate for estimate in found if math.isnan(estimate.value)]
        return missing[0] if missing else EXTREMES[name](found, key=lambda estimate: estimate.value)
    return Estimate(float(operand), float(operand), float(operand))


def _gap(part: Comparison, estimates: Mapping[Place, Estimate]) -> Estimate:
    return difference(operand_value(part.left, estimates), operand_value(part.right, estimates))
