"""Cells: every reproduced number beside the printed one, with an interval and a verdict."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rlvr.plan.outputs import SCORES, Column, Output, Row, selected_runs
from rlvr.plan.printed import PrintedNumber, parse_printed
from rlvr.report.evidence import Estimate, Evidence
from rlvr.stats.intervals import seed_mean
from rlvr.stats.verdicts import verdict

LABEL_SEPARATOR = " | "


@dataclass(frozen=True)
class Scope:
    """Which results exist and what they may be compared with.

    Attributes:
        scale: Name of the scale.
        comparable: Whether a reproduced number may be judged by the printed one.
        runs: Run ids of the selected tier.
        remark: What else a reader of this scale's numbers must know, e.g. that its ranks are the paper's divided by 8.
    """

    scale: str
    comparable: bool
    runs: Collection[str]
    remark: str = ""


def build_cells(output: Output, evidence: Evidence, scope: Scope) -> pd.DataFrame:
    """All cells of an output, one a line (``tables.CELLS``).

    Raises:
        InputError: If a run of the tier lacks a result that a cell needs.
    """
    lines = [_cell(output, row, column, evidence, scope) for row, column in output.cells()]
    return pd.DataFrame(lines)


def _cell(output: Output, row: Row, column: Column, evidence: Evidence, scope: Scope) -> dict[str, Any]:
    text = output.printed(row, column)
    printed = None if text is None else parse_printed(text)
    runs = usable_runs(row, column, scope.runs)
    estimate = reproduce(row, column, evidence, scope.runs) if runs else Estimate(math.nan)
    return {
        "output": output.key,
        "row": output.rows.index(row),
        "label": LABEL_SEPARATOR.join(row.labels),
        "column": column.key,
        "unit": column.unit,
        "decimals": column.decimals if printed is None else printed.decimals,
        **estimate._asdict(),
        "reported": math.nan if printed is None else printed.value,
        "verdict": judge(estimate, printed, scope.comparable),
        "runs": " ".join(runs),
    }


def usable_runs(row: Row, column: Column, available: Iterable[str]) -> list[str]:
    """Run ids that a cell is made from; empty for "not run".

    A largest value is taken over what was run (a difference needs a run on either side); a mean or a standard deviation
    over fewer seeds than declared would be another quantity, so it needs all of them.
    """
    known = frozenset(available)
    wanted = selected_runs(row, column)
    found = [run_id for run_id in wanted if run_id in known]
    if column.reduce == "difference":
        sides_met = all(known.intersection(row.runs.get(name, ())) for name in column.runs)
        return found if sides_met else []
    return found if column.reduce == "max" or len(found) == len(wanted) else []


def reproduce(row: Row, column: Column, evidence: Evidence, available: Iterable[str]) -> Estimate:
    """The reproduced number of a cell whose runs exist."""
    known = frozenset(available)

    def of(run_ids: Iterable[str]) -> list[Estimate]:
        return [estimate_run(run_id, column, evidence) for run_id in run_ids if run_id in known]

    if column.reduce == "difference":
        left, right = (largest(of(row.runs[name])) for name in column.runs)
        return difference(left, right)
    reducers = {"only": only, "mean": mean_over_seeds, "std": std_over_seeds, "max": largest}
    found = reducers[column.reduce](of(selected_runs(row, column)))
    if column.reduce == "mean" and column.statistic in SCORES:
        return Estimate(found.value, max(found.low, 0.0), min(found.high, 100.0))
    return found


def estimate_run(run_id: str, column: Column, evidence: Evidence) -> Estimate:
    """A column's statistic of one run."""
    if column.statistic in SCORES:
        return evidence.score(run_id, str(column.benchmark), column.statistic)
    if column.statistic == "trainable_parameters":
        return evidence.trainable_parameters(run_id)
    found = evidence.spectral(run_id, column.statistic, column.over_modules)
    return Estimate(*(100 * number for number in found)) if column.unit == "%" else found


def only(estimates: Sequence[Estimate]) -> Estimate:
    """The one estimate.

    Raises:
        ValueError: If there are several.
    """
    (estimate,) = estimates
    return estimate


def largest(estimates: Sequence[Estimate]) -> Estimate:
    """The estimate of largest value, with its own interval (not widened for having been selected)."""
    return max(estimates, key=lambda estimate: estimate.value)


def mean_over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """Mean over runs that differ in their seed, with the 95 % interval of Student's t over those runs."""
    values = np.array([estimate.value for estimate in estimates])
    if len(values) < 2:
        return Estimate(float(values.mean()))
    return Estimate(float(values.mean()), *seed_mean(values))


def std_over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """Standard deviation (n - 1) over runs that differ in their seed; NaN for a single one."""
    values = np.array([estimate.value for estimate in estimates])
    return Estimate(float(values.std(ddof=1)) if len(values) > 1 else math.nan)


def difference(left: Estimate, right: Estimate) -> Estimate:
    """``left - right``; the interval combines the two distances to the nearer ends in quadrature.

    SOURCE: the MOVER of Zou and Donner 2008 for two independent estimates. Scores of two runs on the same problems are
    positively correlated, so it errs on the wide side.
    """
    value = left.value - right.value
    down = math.hypot(left.value - left.low, right.high - right.value)
    up = math.hypot(left.high - left.value, right.value - right.low)
    return Estimate(value, value - down, value + up)


def judge(estimate: Estimate, printed: PrintedNumber | None, comparable: bool) -> str:
    """What a reproduced number says about the printed one; see ``tables.CELLS`` for the words."""
    if math.isnan(estimate.value):
        return "not run"
    if printed is None:
        return "not reported"
    if not comparable:
        return "stand-in"
    scaled = [number / printed.multiplier for number in estimate]
    value, low, high = (scaled[0] if math.isnan(number) else number for number in scaled)
    return verdict(value, low - printed.slack, high + printed.slack, printed.digits)
