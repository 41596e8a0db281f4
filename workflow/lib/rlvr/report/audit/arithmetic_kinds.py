"""Kinds whose printed number is computed from operands."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import add, mul

from rlvr.plan.verdict_words import AuditVerdict
from rlvr.report.audit.findings import Finding, Question, finding_of
from rlvr.stats.derivations import Printed, derive, derive_deviation, mean_of
from rlvr.stats.multiples import deviations_of_counts

HUNDRED = Printed.exact(100)
Compute = Callable[[Sequence[Printed]], Printed]

# Number of operands (none: any number of them) and what is made of them; percent are out of a hundred.
FORMULAS: Mapping[str, tuple[int | None, Compute]] = {
    "formula": (1, lambda values: values[0]),
    "sum": (None, lambda values: reduce(add, values)),
    "product": (None, lambda values: reduce(mul, values)),
    "mean": (None, mean_of),
    "difference": (2, lambda values: values[0] - values[1]),
    "ratio": (2, lambda values: values[0] / values[1]),
    "share": (2, lambda values: HUNDRED * values[0] / values[1]),
    "percent-change": (2, lambda values: HUNDRED * (values[0] / values[1] - Printed.exact(1))),
}


def judge_formula(question: Question) -> Finding:
    """A printed number against what arithmetic makes of others."""
    count, compute = FORMULAS[question.statement.kind]
    return finding_of(derive(question.printed(), compute(question.numbers(count))))


def judge_deviation(question: Question) -> Finding:
    """A printed standard deviation; where dividing by n - 1 does not give it, dividing by n may."""
    values, printed = question.numbers(), question.printed()
    sample = derive_deviation(printed, values)
    whole = derive_deviation(printed, values, ddof=0)
    if not sample.possible and whole.possible:
        return Finding(AuditVerdict.WITH_N, whole.derived, whole.low, whole.high, remark="divided by n")
    return finding_of(sample)


def judge_counted_deviation(question: Question) -> Finding:
    """A printed deviation of percentages that are whole counts: operands are mean, answers per seed, seeds.

    The values of the seeds need not be printed: few sets of whole counts have the printed mean.
    """
    mean, size, seeds = question.numbers(3)
    printed, counts = question.printed(), (int(size.value), int(seeds.value))
    sample, whole = (deviations_of_counts(mean, printed, *counts, ddof) for ddof in (1, 0))
    remark = f"{counts[1]} seeds of {counts[0]}: {len(sample)} deviations with n - 1, {len(whole)} with n"
    if sample:
        return Finding(AuditVerdict.FOLLOWS, sample[0], sample[0], sample[-1], remark=remark)
    if whole:
        return Finding(AuditVerdict.WITH_N, whole[0], whole[0], whole[-1], remark=remark)
    return Finding(AuditVerdict.DOES_NOT_FOLLOW, remark=remark)


ARITHMETIC: Mapping[str, Callable[[Question], Finding]] = {
    **dict.fromkeys(FORMULAS, judge_formula),
    "sd": judge_deviation,
    "sd-of-counts": judge_counted_deviation,
}
