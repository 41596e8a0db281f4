"""Cells: every reproduced number beside the printed one, with an interval and a verdict."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from rlvr.plan.outputs import SEED_MEANS, Column, Output, Row
from rlvr.plan.printed import PrintedNumber, parse_printed
from rlvr.plan.verdict_words import CellVerdict
from rlvr.report.evidence import Estimate, Evidence
from rlvr.stats.intervals import seed_mean
from rlvr.stats.printed_agreement import verdict

LABEL_SEPARATOR = " | "
FEWEST_SEEDS = 2  # of a mean or a standard deviation


@dataclass(frozen=True)
class ReportScope:
    """Which results exist and what they may be compared with.

    Attributes:
        scale: Name of the scale.
        comparable: Whether a reproduced number may be judged by the printed one.
        runs: Run ids of the selected tier, and names of the pairs of checkpoints that were measured.
        remark: A further fact that a reader of this scale's numbers must know, e.g. that its ranks are the paper's
            divided by 8.
        study: Name of the study.
        stand_ins: What stands in for a model at this scale, by the model.
    """

    scale: str
    comparable: bool
    runs: Collection[str]
    remark: str = ""
    study: str = ""
    stand_ins: Mapping[str, str] = field(default_factory=dict)


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
    estimate = reproduce(sides, column, evidence) if sides else Estimate(math.nan)
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
        "verdict": judge_cell(estimate, printed, scope.comparable),
        "runs": " ".join(run_id for side in sides for run_id in side),
    }


def usable_sides(row: Row, column: Column, available: Collection[str]) -> list[list[str]]:
    """Runs that a cell is made from, in one group or the two of a difference; empty for "not run".

    A largest value is taken over what was run (a difference needs a run on either side); a mean or a standard deviation
    over fewer seeds than the grid has would be another quantity, so it needs all of them, and two at least; of means
    over seeds, those settings that have them take part.
    """
    wanted = row.runs[column.key]
    found = [[run_id for run_id in side if run_id in available] for side in wanted]
    if column.over == SEED_MEANS:
        pairs = zip(found, wanted, strict=True)
        return [group for group, whole in pairs if len(group) == len(whole) >= FEWEST_SEEDS]
    if not all(found):
        return []
    if column.reduce in ("mean", "std"):
        complete = all(len(left) == len(right) >= FEWEST_SEEDS for left, right in zip(found, wanted, strict=True))
        return found if complete else []
    return found


def reproduce(sides: Sequence[Sequence[str]], column: Column, evidence: Evidence) -> Estimate:
    """The reproduced number of a cell from its runs, in groups as :func:`usable_sides` makes them."""
    groups = [[evidence.estimate(run_id, column) for run_id in side] for side in sides]
    if column.reduce == "difference":
        left, right = map(largest, groups)
        return difference(left, right)
    if column.over == SEED_MEANS:
        return largest(map(mean_over_seeds, groups))
    reducers = {"only": only, "mean": mean_over_seeds, "std": std_over_seeds, "max": largest, "min": smallest}
    found = reducers[column.reduce](groups[0])
    if column.reduce == "mean" and column.is_score:
        return Estimate(found.value, max(found.low, 0.0), min(found.high, 100.0))
    return found


def only(estimates: Sequence[Estimate]) -> Estimate:
    """The one estimate.

    Raises:
        ValueError: If there are several.
    """
    (estimate,) = estimates
    return estimate


def largest(estimates: Iterable[Estimate]) -> Estimate:
    """The estimate of largest value, with its own interval (not widened for having been selected)."""
    return max(estimates, key=lambda estimate: estimate.value)


def smallest(estimates: Iterable[Estimate]) -> Estimate:
    """The estimate of smallest value, with its own interval (not widened for having been selected)."""
    return min(estimates, key=lambda estimate: estimate.value)


def mean_over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """Mean over runs that differ in their seed, with the 95 % interval of Student's t over those runs."""
    values = np.array([estimate.value for estimate in estimates])
    if len(values) < FEWEST_SEEDS:
        return Estimate(float(values.mean()))
    return Estimate(float(values.mean()), *seed_mean(values))


def std_over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """Standard deviation (n - 1) over runs that differ in their seed; NaN for a single one."""
    values = np.array([estimate.value for estimate in estimates])
    return Estimate(float(values.std(ddof=1)) if len(values) >= FEWEST_SEEDS else math.nan)


def difference(left: Estimate, right: Estimate) -> Estimate:
    """``left - right``; the interval combines the two distances to the nearer ends in quadrature.

    SOURCE: the MOVER of Zou and Donner 2008 for two independent estimates. Scores of two runs on the same problems are
    positively correlated, so it errs on the wide side.
    """
    value = left.value - right.value
    down = math.hypot(left.value - left.low, right.high - right.value)
    up = math.hypot(left.high - left.value, right.value - right.low)
    return Estimate(value, value - down, value + up)


def judge_cell(estimate: Estimate, printed: PrintedNumber | None, comparable: bool) -> CellVerdict:
    """CellVerdict on a printed number in the light of the reproduced one, both in the unit of the cell.

    The interval is widened by what the printed number may be off beyond its last digit. At a scale that is not
    ``comparable`` the verdict is "stand-in", whatever the numbers are.
    """
    if math.isnan(estimate.value):
        return CellVerdict.NOT_RUN
    if printed is None:
        return CellVerdict.NOT_REPORTED
    if not comparable:
        return CellVerdict.STAND_IN
    scaled = [number / printed.multiplier for number in estimate]
    value, low, high = (scaled[0] if math.isnan(number) else number for number in scaled)
    return CellVerdict(verdict(value, low - printed.slack, high + printed.slack, printed.digits))
