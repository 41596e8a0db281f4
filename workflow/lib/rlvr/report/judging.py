"""Verdicts on statements about reproduced numbers: holds, fails, undecided, one seed only, not run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from rlvr.plan.claim_grammar import Comparison, Number, Operator, Statement
from rlvr.plan.verdict_words import ClaimVerdict, cap_by_seeds
from rlvr.report.claim_numbers import ClaimNumbers, Quantity, worth
from rlvr.report.comparing import Drawn, minus, ratio
from rlvr.stats.resampling import central

ROUNDING = 1e-9  # of sums of floats: 84.0 - 77.3 is not quite 6.7
OPEN = (ClaimVerdict.NOT_RUN, ClaimVerdict.UNDECIDED, ClaimVerdict.ONE_SEED)  # the first that is there tells why


class Judged(NamedTuple):
    """A comparison with what it was decided by.

    Attributes:
        part: The comparison.
        verdict: On it.
        leans: The verdict that the numbers would give if a single seed were enough.
        left: Worth of its left side.
        right: Worth of its right side.
        gap: left - factor x right; within a factor, left over right.
        margin: What was asked, with its source.
    """

    part: Comparison
    verdict: ClaimVerdict
    leans: ClaimVerdict
    left: Quantity
    right: Quantity
    gap: Quantity
    margin: Number


def judge_statement(statement: Statement, judged: Mapping[Comparison, ClaimVerdict]) -> ClaimVerdict:
    """Verdict on a statement from the verdicts on its comparisons."""
    if isinstance(statement, Comparison):
        return judged[statement]
    return combine([judge_statement(part, judged) for part in statement.parts], statement.needed)


def combine(verdicts: Sequence[ClaimVerdict], needed: int) -> ClaimVerdict:
    """Verdict on statements of which ``needed`` must hold.

    ``holds`` as soon as so many hold, whatever the others are; ``fails`` as soon as so many fail that the rest is too
    few; otherwise what keeps it open: something not run, an interval that is too wide, or a single seed.
    """
    if verdicts.count(ClaimVerdict.HOLDS) >= needed:
        return ClaimVerdict.HOLDS
    if len(verdicts) - verdicts.count(ClaimVerdict.FAILS) < needed:
        return ClaimVerdict.FAILS
    return next(verdict for verdict in OPEN if verdict in verdicts)


def judge_comparison(part: Comparison, numbers: ClaimNumbers, printed: ClaimNumbers) -> Judged:
    """Judge one comparison by the central 95 % of the draws of its gap; the bare numbers decide where nothing varies.

    ``exceeds`` holds when the whole interval lies above the margin, fails when none of it does, and is undecided
    otherwise; ``within`` likewise for the band from minus to plus the margin, or from one over the factor to the
    factor. A decision on a single seed is capped (:func:`rlvr.plan.verdict_words.cap_by_seeds`).
    """
    left, right = worth(part.left, numbers), worth(part.right, numbers)
    margin = half_printed(part, printed) if part.margin is None else part.margin
    if left.is_missing or right.is_missing:
        not_run = ClaimVerdict.NOT_RUN
        return Judged(part, not_run, not_run, left, right, left if left.is_missing else right, margin)
    if part.op is Operator.WITHIN and part.factor.value != 1:
        verdict = _within_factor(left.drawn, right.drawn, part.factor.value)
        gap = Quantity(ratio(left.drawn, right.drawn), decimals=2)
    else:
        decimals = max(left.decimals, right.decimals)
        gap = Quantity(difference(left.drawn, right.drawn, part.factor.value), shared_unit(left, right), decimals)
        verdict = (_exceeds if part.op is Operator.EXCEEDS else _within)(gap.drawn, margin.value)
    return Judged(part, cap_by_seeds(verdict, gap.drawn.seeds), verdict, left, right, gap, margin)


def half_printed(part: Comparison, printed: ClaimNumbers) -> Number:
    """Half of the distance that the printed numbers have, as a margin with its source."""
    left, right = worth(part.left, printed), worth(part.right, printed)
    gap = abs(left.value - part.factor.value * right.value)
    return Number(gap / 2, f"SOURCE: half of the printed distance, {gap:.{max(left.decimals, right.decimals)}f}")


def difference(left: Drawn, right: Drawn, factor: float = 1.0) -> Drawn:
    """``left - factor x right``, draw by draw."""
    return minus(left, replace(right, value=factor * right.value, draws_B=factor * right.draws_B))


def shared_unit(left: Quantity, right: Quantity) -> str:
    """The unit of two sides; a number that the claim gives has that of the other side."""
    return right.unit if left.unit == "number" else left.unit


def _exceeds(gap: Drawn, margin: float) -> ClaimVerdict:
    low, high = central(gap.draws_B)
    if low > margin + ROUNDING:
        return ClaimVerdict.HOLDS
    return ClaimVerdict.FAILS if high <= margin + ROUNDING else ClaimVerdict.UNDECIDED


def _within(gap: Drawn, margin: float) -> ClaimVerdict:
    low, high = central(gap.draws_B)
    if max(abs(low), abs(high)) <= margin + ROUNDING:
        return ClaimVerdict.HOLDS
    is_outside = low > margin + ROUNDING or high < -margin - ROUNDING
    return ClaimVerdict.FAILS if is_outside else ClaimVerdict.UNDECIDED


def _within_factor(left: Drawn, right: Drawn, factor: float) -> ClaimVerdict:
    """Neither side exceeds the other so many times."""
    sides = {_exceeds(difference(one, other, factor), 0.0) for one, other in ((left, right), (right, left))}
    if ClaimVerdict.HOLDS in sides:
        return ClaimVerdict.FAILS
    return ClaimVerdict.HOLDS if sides == {ClaimVerdict.FAILS} else ClaimVerdict.UNDECIDED
