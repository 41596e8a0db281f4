"""Cells: every reproduced number beside the printed one, with an interval and a verdict."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rlvr.plan.outputs import Column, Output, Row
from rlvr.plan.printed import parse_printed
from rlvr.report.agreement import judge_cell
from rlvr.report.evidence import Estimate, Evidence
from rlvr.report.measurements import draw_cell
from rlvr.report.scope import FEWEST_SEEDS, ReportScope, usable_sides
from rlvr.stats.intervals import seed_mean
from rlvr.stats.prediction import deviation_interval

LABEL_SEPARATOR = " | "


def build_cells(output: Output, evidence: Evidence, scope: ReportScope) -> pd.DataFrame:
    """All cells of an output, one per line (``tables.CELLS``).

    Raises:
        InputError: If a run of the tier lacks a result that a cell needs.
    """
    lines = [_cell(output, row, column, evidence, scope) for row, column in output.cells()]
    return pd.DataFrame(lines)


def _cell(output: Output, row: Row, column: Column, evidence: Evidence, scope: ReportScope) -> dict[str, Any]:
    text = output.printed(row, column)
    printed = None if text is None else parse_printed(text)
    sides = usable_sides(row, column, frozenset(scope.runs))
    estimate = reproduce(row, column, evidence, scope)
    runs = [run_id for side in sides for run_id in side]
    return {
        "output": output.key,
        "row": row.key,
        "label": LABEL_SEPARATOR.join(row.labels),
        "column": column.key,
        "unit": column.unit,
        "decimals": column.decimals if printed is None else printed.decimals,
        **estimate._asdict(),
        "reported": math.nan if printed is None else printed.value,
        "printed": text or "",
        **judge_cell(row, column, estimate, printed, evidence, scope)._asdict(),
        "lost_share": lost_share(runs, column, evidence),
        "runs": " ".join(runs),
    }


def lost_share(runs: Sequence[str], column: Column, evidence: Evidence) -> float:
    """Largest share of an update that rounding removed from the weights that a score's runs were sampled with.

    NaN where none is recorded, and for what is no score itself: a difference, a standard deviation.
    """
    shown = column.is_score and column.reduce in ("only", "mean", "max", "min")
    lost = [evidence.lost_share(run_id, column) for run_id in runs] if shown else []
    return max((share for share in lost if not math.isnan(share)), default=math.nan)


def reproduce(row: Row, column: Column, evidence: Evidence, scope: ReportScope) -> Estimate:
    """The reproduced number of a cell, with its 95 % interval; NaN where it was not run.

    A largest value has the interval of :func:`rlvr.report.comparing.largest`, in which its selection is; a difference
    of two of them is paired by their problems.
    """
    sides = usable_sides(row, column, frozenset(scope.runs))
    if not sides:
        return Estimate(math.nan)
    if column.reduce in ("max", "min", "difference"):
        return draw_cell(row, column, evidence, scope, over_seeds=False).estimate
    found = [evidence.estimate(run_id, column) for run_id in sides[0]]
    if column.reduce == "std":
        return std_over_seeds(found).times(column.deviation_factor(len(found)))
    if column.reduce == "mean":
        mean = mean_over_seeds(found)
        return Estimate(mean.value, max(mean.low, 0.0), min(mean.high, 100.0)) if column.is_score else mean
    (estimate,) = found
    return estimate


def mean_over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """Mean over runs that differ in their seed, with the 95 % interval of Student's t over those runs."""
    values = np.array([estimate.value for estimate in estimates])
    if len(values) < FEWEST_SEEDS:
        return Estimate(float(values.mean()))
    return Estimate(float(values.mean()), *seed_mean(values))


def std_over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """Standard deviation (n - 1) over runs that differ in their seed, with its chi-square interval; NaN for one run."""
    values = np.array([estimate.value for estimate in estimates])
    if len(values) < FEWEST_SEEDS:
        return Estimate(math.nan)
    deviation = float(values.std(ddof=1))
    return Estimate(deviation, *deviation_interval(deviation, len(values) - 1))
