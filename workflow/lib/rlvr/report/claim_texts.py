"""The numbers of a claim as text: a reader must be able to tell which run is which, what was asked, and why."""

import math

from rlvr.plan.claim_grammar import Number, Operator
from rlvr.plan.printed import MINUS, format_value
from rlvr.plan.verdict_words import ClaimVerdict
from rlvr.report.claim_numbers import Quantity
from rlvr.report.judging import Judged

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
MARGIN_DECIMALS = 3
TIMES = "\N{MULTIPLICATION SIGN}"


def numbers_text(judged: Judged) -> str:
    """The numbers of a comparison with their labels, and what was asked of them.

    For example ``LoRA, r = 64: 73.1 - LoRA, r = 128: 4.7 = 68.4 [62.1, 74.0]; asked: > 34.2``.
    """
    if judged.verdict is ClaimVerdict.NOT_RUN:
        sides = [side.label for side in (judged.left, judged.right) if side.is_missing]
        return f"{', '.join(dict.fromkeys(sides))}: {ClaimVerdict.NOT_RUN.value}"
    left, right, factor = named(judged.left), named(judged.right), judged.part.factor.value
    if judged.part.op is Operator.WITHIN and factor != 1:
        return f"{left} / {right} = {with_interval(judged.gap)}; asked: {1 / factor:.2f} to {factor:.2f}"
    times = "" if factor == 1 else f"{factor:g} {TIMES} "
    margin = f"{round(judged.margin.value, MARGIN_DECIMALS):g}"
    asked = f"> {margin}" if judged.part.op is Operator.EXCEEDS else f"within {PLUS_MINUS}{margin}"
    return f"{left} {MINUS} {times}{right} = {with_interval(judged.gap)}; asked: {asked}"


def margin_text(judged: Judged) -> str:
    """Every number that the claim brings along, with its source; empty where any distance counts."""
    given = [operand for operand in judged.part.operands() if isinstance(operand, Number)]
    numbers = [judged.margin, judged.part.factor, *given]
    return "; ".join(f"{number.value:g} ({number.source})" for number in numbers if number.source)


def named(side: Quantity) -> str:
    """A side's label and value."""
    value = value_text(side.value, side)
    return f"{side.label}: {value}" if side.label else value


def with_interval(gap: Quantity) -> str:
    """A value with its 95 % interval, where it has one."""
    value, low, high = gap.drawn.estimate
    text = value_text(value, gap)
    return text if math.isnan(low) else f"{text} [{value_text(low, gap)}, {value_text(high, gap)}]"


def value_text(value: float, like: Quantity) -> str:
    """A value in the unit and with the digits of another one; with two significant digits where these would show 0."""
    if not math.isfinite(value):
        return "unbounded" if math.isinf(value) else ClaimVerdict.NOT_RUN.value
    if 0 < abs(value) < 0.5 * 10.0**-like.decimals:
        return f"{value:.2g}".replace("-", MINUS)
    return format_value(value, like.decimals, like.unit)
