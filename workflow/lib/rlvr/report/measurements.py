"""Cells as draws over seeds and problems: from finished runs to what :mod:`rlvr.report.comparing` compares."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from rlvr.core.errors import InputError
from rlvr.plan.outputs import SEED_MEANS, Column, Row
from rlvr.report.comparing import (
    NOT_RUN,
    Answers,
    Drawn,
    Measured,
    constant,
    draw,
    draw_deviation,
    largest,
    minus,
    scaled,
    smallest,
)
from rlvr.report.evidence import Evidence
from rlvr.report.scope import ReportScope, usable_sides
from rlvr.stats.quantiles import Z95


def draw_cell(row: Row, column: Column, evidence: Evidence, scope: ReportScope, over_seeds: bool = True) -> Drawn:
    """Draw a cell.

    Args:
        row: Its row.
        column: Its column.
        evidence: Results of its runs, and of their siblings.
        scope: What was run, and which runs differ in their seed only.
        over_seeds: Whether a run stands for its configuration, with all its seeds, and not for itself alone. A mean or
            a standard deviation is over the seeds that it declares.
    """
    if column.parts:
        return minus(*(draw_cell(row, part, evidence, scope, over_seeds) for part in column.parts))
    sides = usable_sides(row, column, scope.runs)
    if not sides:
        return NOT_RUN
    if column.reduce == "mean":
        return draw(measure(sides[0], column, evidence, scope.seeds))
    if column.reduce == "std":
        deviation = draw_deviation(measure(sides[0], column, evidence, scope.seeds))
        return scaled(deviation, column.deviation_factor(len(sides[0])))
    if column.over == SEED_MEANS:
        return largest([draw(measure(group, column, evidence, scope.seeds)) for group in sides])
    extreme = smallest if column.reduce == "min" else largest
    return extreme([_draw_of(group, column, evidence, scope) for group in _groups(sides[0], scope, over_seeds)])


def _groups(side: Sequence[str], scope: ReportScope, over_seeds: bool) -> list[tuple[str, ...]]:
    """The configurations of a side, each with its runs by seed, in order and without repetition."""
    groups = [tuple(scope.siblings.get(run_id, (run_id,))) if over_seeds else (run_id,) for run_id in side]
    return list(dict.fromkeys(groups))


def _draw_of(group: Sequence[str], column: Column, evidence: Evidence, scope: ReportScope) -> Drawn:
    if column.shown.is_exact:
        return constant(evidence.estimate(group[0], column).value)
    drawn = draw(measure(group, column, evidence, scope.seeds))
    return drawn if group[0] in scope.seeds else replace(drawn, seeds=None)  # an untrained base has no seed


def measure(group: Sequence[str], column: Column, evidence: Evidence, seeds: Mapping[str, int]) -> Measured:
    """A column's statistic of runs that differ in their seed only.

    Raises:
        InputError: If two of them were not tested on the same problems.
    """
    found = [evidence.estimate(run_id, column) for run_id in group]
    values_S = np.array([estimate.value for estimate in found])
    name = f"{' '.join(group)} {column.statistic} {column.over_modules}"
    numbers = tuple(seeds.get(run_id, place) for place, run_id in enumerate(group))
    if column.is_score:
        answers = tuple(_answers(group, benchmark, column, evidence) for benchmark in column.benchmarks)
        return Measured(name, numbers, values_S, answers, column.shown.factor)
    errors_S = np.nan_to_num(np.array([(estimate.high - estimate.low) / (2 * Z95) for estimate in found]))
    return Measured(name, numbers, values_S, errors_S=errors_S)


def _answers(group: Sequence[str], benchmark: str, column: Column, evidence: Evidence) -> Answers:
    found = [evidence.answers_of(run_id, benchmark, column.shown.recorded) for run_id in group]
    problems = tuple(found[0].index)
    for run_id, each in zip(group, found, strict=True):
        if tuple(each.index) != problems:
            problem = f"was tested on other problems of '{benchmark}' than {group[0]}, which differs in its seed only."
            raise InputError(run_id, problem, "Sample both again.")
    return Answers(
        benchmark,
        problems,
        np.array([each["value"].to_numpy(dtype=float) for each in found]),
        int(found[0]["samples"].iloc[0]),
    )
