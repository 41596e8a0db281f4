"""Verdict of a cell: whether a faithful repetition would print the paper's number, with the z beside the word."""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from rlvr.plan.outputs import SEED_MEANS, Column, Row
from rlvr.plan.printed import PrintedNumber
from rlvr.plan.verdict_words import CellVerdict
from rlvr.report.evidence import Estimate, Evidence
from rlvr.report.measurements import measure
from rlvr.report.scope import ReportScope, usable_sides
from rlvr.stats.intervals import sample_correlation
from rlvr.stats.prediction import (
    Sampling,
    Spread,
    deviation_score,
    normal_score,
    pool_spread,
    satterthwaite,
    share_variance,
)
from rlvr.stats.quantiles import Z95

TOLERANCE = 0.10  # ASSUME: relative, of a measured number without seeds: the printed ranks are rounded to 1 to 10 %
ENOUGH_FREEDOM = 2  # of a run's own seeds; with fewer, those of its family are pooled
EXACT, OWN, FAMILY, PRINTED, FIXED = "exact", "own seeds", "family", "printed", "tolerance"


class Judgement(NamedTuple):
    """Verdict of a cell, its z (beyond 1.96 it differs), and where the spread over seeds comes from.

    ``seed_sd`` is the standard deviation over seeds in the unit of the cell, for spectra relative to the value.
    """

    verdict: CellVerdict
    z: float = math.nan
    seed_sd: float = math.nan
    spread_from: str = ""


def judge_cell(
    row: Row,
    column: Column,
    estimate: Estimate,
    printed: PrintedNumber | None,
    evidence: Evidence,
    scope: ReportScope,
) -> Judgement:
    """Judge a reproduced number by the printed one.

    At a scale that is not comparable the verdict is "stand-in", whatever the numbers are.

    Args:
        row: Row of the cell.
        column: Its column.
        estimate: The reproduced number, in the unit of the cell.
        printed: The printed one.
        evidence: Results of its runs and of their relatives.
        scope: What was run.
    """
    if math.isnan(estimate.value):
        return Judgement(CellVerdict.NOT_RUN)
    if printed is None:
        return Judgement(CellVerdict.NOT_REPORTED)
    if not scope.comparable:
        return Judgement(CellVerdict.STAND_IN)
    target = printed.nearest(estimate.value)
    if column.shown.is_exact:
        return Judgement(_word(estimate.value == target), spread_from=EXACT)
    if column.reduce == "std":
        (side,) = usable_sides(row, column, scope.runs)
        score = deviation_score(estimate.value, target, (len(side) - 1, len(side) - 1))
        return Judgement(_word(abs(score) <= Z95), score, spread_from=OWN)
    judge = _judge_score if column.is_score else _judge_measured
    return judge(row, column, estimate, target, evidence, scope)


def _word(agrees: bool) -> CellVerdict:
    return CellVerdict.AGREES if agrees else CellVerdict.DIFFERS


def _judge_score(
    row: Row, column: Column, estimate: Estimate, target: float, evidence: Evidence, scope: ReportScope
) -> Judgement:
    """A share of solved problems, or a difference of two of them."""
    sides = usable_sides(row, column, scope.runs)
    spread = spread_over_seeds(sides, column, evidence, scope)
    if column.reduce in ("max", "min", "difference"):
        variance, freedom = _selected_variance(estimate, column, spread)
    else:
        distance = (target - estimate.value) / column.shown.factor
        parts = [_sampled(sides[0], name, column, distance, evidence, scope) for name in column.benchmarks]
        variance, freedom = share_variance(
            parts, None if spread is None else spread.times(1 / column.shown.factor), (len(sides[0]), len(sides[0]))
        )
        variance *= column.shown.factor**2
    score = normal_score(estimate.value - target, variance, freedom)
    agrees = abs(score) <= Z95
    if spread is None:
        return Judgement(CellVerdict.AGREES if agrees else CellVerdict.SPREAD_UNKNOWN, score)
    return Judgement(_word(agrees), score, math.sqrt(spread.variance), spread.basis)


def _sampled(
    side: Sequence[str], benchmark: str, column: Column, distance: float, evidence: Evidence, scope: ReportScope
) -> tuple[float, Sampling, Sampling]:
    """The ability if both numbers are of one, and how our share and theirs were measured on a benchmark.

    ASSUME: the paper's problems are as many as ours and as much alike; its samples of each are those of its protocol.
    """
    measured = measure(side, replace(column, benchmarks=(benchmark,)), evidence, scope.seeds).answers[0]
    group = scope.siblings.get(side[0], side) if len(side) == 1 else side
    known = measure(group, replace(column, benchmarks=(benchmark,)), evidence, scope.seeds).answers[0]
    correlation = sample_correlation(known.values_SP.mean(axis=0), len(group) * known.samples)
    problems, theirs = len(measured.problems), scope.samples.get(benchmark, measured.samples)
    theirs = theirs if column.statistic == "avg_at_k" else 1
    share = min(max(float(measured.values_SP.mean()) + distance / 2, 0.0), 1.0)
    return (
        share,
        Sampling(problems, len(side) * measured.samples, correlation),
        Sampling(problems, len(side) * theirs, correlation),
    )


def _selected_variance(estimate: Estimate, column: Column, spread: Spread | None) -> tuple[float, float]:
    """Variance of the distance of two largest values, or of two differences of such: twice that of ours.

    The largest of means over seeds has their spread in its interval already.
    """
    once = ((estimate.high - estimate.low) / (2 * Z95)) ** 2
    if spread is None or column.over == SEED_MEANS:
        return 2 * once, math.inf
    sides = 2 if column.reduce == "difference" else 1
    total = 2 * (once + sides * spread.variance)
    return total, satterthwaite([(2 * sides * spread.variance, spread.freedom)], total)


def _judge_measured(
    row: Row, column: Column, estimate: Estimate, target: float, evidence: Evidence, scope: ReportScope
) -> Judgement:
    """A spectral or otherwise measured number, on the scale of its logarithm; a stated tolerance without seeds."""
    sides = usable_sides(row, column, scope.runs)
    spread = None
    if estimate.value > 0 and target > 0 and column.reduce in ("only", "mean"):
        spread = spread_over_seeds(sides, column, evidence, scope)
    if spread is None:
        close = abs(estimate.value - target) <= TOLERANCE * abs(target)
        return Judgement(_word(close), spread_from=FIXED)
    width = 0.0 if math.isnan(estimate.low) or column.reduce == "mean" else estimate.high - estimate.low
    error = (width / (2 * Z95 * estimate.value)) ** 2
    over_seeds = 2 * spread.variance / len(sides[0])
    freedom = satterthwaite([(over_seeds, spread.freedom)], over_seeds + error)
    score = normal_score(math.log(estimate.value / target), over_seeds + error, freedom)
    return Judgement(_word(abs(score) <= Z95), score, math.sqrt(spread.variance), spread.basis)


def spread_over_seeds(
    sides: Sequence[Sequence[str]], column: Column, evidence: Evidence, scope: ReportScope
) -> Spread | None:
    """How far the seeds of a cell's runs lie apart: by their own seeds, those of their family, or the paper's.

    In the unit of the cell for scores, of logarithms otherwise (so that ranks of 5 and of 900 can be pooled).

    Returns:
        ``None`` where neither seeds nor printed standard deviations tell.
    """
    runs = [run_id for side in sides for run_id in side]
    kin = {scope.families.get(run_id) for run_id in runs} - {None}
    related = [run_id for run_id, family in scope.families.items() if family in kin]
    own = pool_spread(_values(runs, column, evidence, scope), OWN)
    if own is not None and own.freedom >= ENOUGH_FREEDOM:
        return own
    family = pool_spread(_values([*runs, *related], column, evidence, scope), FAMILY)
    if family is not None and family.freedom >= ENOUGH_FREEDOM:
        return family
    printed = {tuple(scope.printed_spreads[run_id]) for run_id in runs if run_id in scope.printed_spreads}
    if column.statistic == "avg_at_k" and printed:
        return _pooled(printed)
    return family or own


def _pooled(printed: Collection[tuple[float, ...]]) -> Spread:
    """Printed variances over seeds as one, weighted by their degrees of freedom; the runs of a family share one."""
    freedom = sum(weight for _, weight in printed)
    return Spread(math.fsum(weight * variance for variance, weight in printed) / freedom, freedom, PRINTED)


def _values(runs: Sequence[str], column: Column, evidence: Evidence, scope: ReportScope) -> list[list[float]]:
    """Values of the seeds of each configuration among these runs; logarithms where the column is no score."""
    alone = tuple(runs) if column.reduce in ("mean", "std") else None  # the runs of a mean over seeds are siblings
    groups = dict.fromkeys(tuple(scope.siblings.get(run_id, alone or (run_id,))) for run_id in runs)
    found = [[evidence.estimate(run_id, column).value for run_id in group] for group in groups if len(group) > 1]
    if column.is_score:
        return found
    return [[math.log(value) for value in values] for values in found if min(values) > 0]
