"""Kinds that set two places side by side, count, follow a pointer, or ask whether a difference is chance."""

import re
from collections.abc import Callable, Mapping, Sequence

from rlvr.plan.verdict_words import AuditVerdict
from rlvr.report.audit.findings import Finding, Question, contradiction
from rlvr.report.audit.operands import Operand, read_operands
from rlvr.stats.derivations import Printed
from rlvr.stats.multiples import Fit, best_fit, fit_of
from rlvr.stats.significance import Summary, Test, compare_seeds, compare_shares, compare_summaries

RELATION = re.compile(r"(>=|<=|>|<|=)")
LEVEL = 0.05
SHOWN_SIZES = 3  # of sizes that the audit proposes, each with its fits
ALIKE, DIFFERENT = "alike", "different"


def judge_equal(question: Question) -> Finding:
    """Two or more places print one thing: numbers up to the rounding of the coarser, words up to case and spaces."""
    operands = question.operands()
    words = question.printed_text.startswith("'")
    apart = [each for each in operands if _differs(question, each)]
    if apart:
        shown = "; ".join(f"{each.text}{f' ({each.place})' if each.place else ''}" for each in apart)
        return contradiction(question, apart, f"there: {shown}", apart[0].number)
    exact = words or all(_rounds_to(question.printed_as_is(), each.number) for each in operands if each.number)
    return Finding(AuditVerdict.FOLLOWS if exact else AuditVerdict.WITHIN_ROUNDING)


def _differs(question: Question, operand: Operand) -> bool:
    if question.printed_text.startswith("'") != bool(operand.words):
        raise question.mistake("compares words with a number")
    if operand.number is None:
        return _plain(question.printed_text.strip("'")) != _plain(operand.words)
    return not question.printed_as_is().meets(operand.number)


def _plain(words: str) -> str:
    return " ".join(words.casefold().split())


def _rounds_to(left: Printed, right: Printed) -> bool:
    """Whether the finer of two prints rounds to the coarser."""
    fine, coarse = sorted((left, right), key=lambda each: each.high - each.low)
    return coarse.low <= fine.value <= coarse.high


def judge_order(question: Question) -> Finding:
    """Chains such as ``20.6 > 19.1 > 16.6``; a side with several numbers stands for each of them."""
    links = [link for chain in question.statement.operands.split(";") for link in _links(chain, question)]
    if not links:
        raise question.mistake("holds no relation")
    broken = [link for link in links if not _possible(*link)]
    if broken:
        left, relation, right = broken[0]
        rest = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        places = [each for link in broken for each in (link[0], link[2])]
        return contradiction(question, places, f"{left.text} {relation} {right.text} is false{rest}")
    sure = all(_as_printed(*link) for link in links)
    return Finding(AuditVerdict.FOLLOWS if sure else AuditVerdict.WITHIN_ROUNDING)


Link = tuple[Operand, str, Operand]


def _links(chain: str, question: Question) -> list[Link]:
    parts = RELATION.split(chain)
    sides = [read_operands(part, question.find, question.statement.origin) for part in parts[::2]]
    if any(each.number is None for side in sides for each in side) or not all(sides):
        raise question.mistake("compares what is not a number")
    return [
        (left, relation, right)
        for lefts, relation, rights in zip(sides, parts[1::2], sides[1:], strict=False)
        for left in lefts
        for right in rights
    ]


def _possible(left: Operand, relation: str, right: Operand) -> bool:
    """Whether some unrounded numbers meet the relation."""
    one, two = _number(left), _number(right)
    if relation == "=":
        return one.meets(two)
    if relation in ("<", "<="):
        one, two = two, one
    return one.high >= two.low if relation in (">=", "<=") else one.high > two.low


def _as_printed(left: Operand, relation: str, right: Operand) -> bool:
    one, two = _number(left), _number(right)
    if relation == "=":
        return _rounds_to(one, two)
    sign = {">": (1,), ">=": (0, 1), "<": (-1,), "<=": (-1, 0)}[relation]
    return (one.value > two.value) - (one.value < two.value) in sign


def _number(operand: Operand) -> Printed:
    assert operand.number is not None  # _links refuses others
    return operand.number


def judge_extreme(question: Question) -> Finding:
    """The printed number is the largest or smallest of the operands."""
    operands, printed = question.operands(), question.printed()
    pick = max if question.statement.kind == "maximum" else min
    numbers = question.numbers()
    bound = Printed(*(pick(getattr(each, side) for each in numbers) for side in ("value", "low", "high")))
    if not printed.meets(bound):
        winner = pick(operands, key=lambda each: _number(each).value)
        return contradiction(question, [winner], f"{question.statement.kind}: {winner.text}", bound)
    exact = printed.low <= bound.value <= printed.high
    verdict = AuditVerdict.FOLLOWS if exact else AuditVerdict.WITHIN_ROUNDING
    return Finding(verdict, bound.value, bound.low, bound.high)


def judge_range(question: Question) -> Finding:
    """Every operand lies in the printed range, ``78 to 84``, once rounded as the range is."""
    ends = question.printed_text.split(" to ")
    if len(ends) != 2:
        raise question.mistake("printed is no range such as '78 to 84'")
    low, high = (Printed.read(end) for end in ends)
    outside = [each for each in question.operands() if _number(each).high < low.low or _number(each).low > high.high]
    if outside:
        return contradiction(question, outside, f"outside: {', '.join(each.text for each in outside)}")
    sure = all(low.low <= _number(each).value <= high.high for each in question.operands())
    return Finding(AuditVerdict.FOLLOWS if sure else AuditVerdict.WITHIN_ROUNDING)


def judge_count(question: Question) -> Finding:
    """The printed number is how many operands there are: things that are listed, or cells."""
    operands, printed = question.operands(), question.printed_as_is()
    count = Printed.exact(len(operands))
    if printed.low <= count.value <= printed.high:
        return Finding(AuditVerdict.FOLLOWS, count.value, count.value, count.value)
    return contradiction(question, operands, f"there are {len(operands)}", count)


def judge_pointer(question: Question) -> Finding:
    """The place that is pointed to says what the operand names; ``places.csv`` holds what each place is about."""
    target, wanted = question.printed_text, {each.words for each in question.operands()}
    if "" in wanted:
        raise question.mistake("a pointer needs the topic in quotation marks")
    if wanted <= question.places.get(target, frozenset()):
        return Finding(AuditVerdict.FOLLOWS)
    others = tuple(place for place, topics in question.places.items() if wanted <= topics and place != target)
    there = "says nothing of it" if target in question.places else "is not there"
    if others:
        return Finding(AuditVerdict.CONTRADICTED, by=others, remark=f"{target} {there}; {', '.join(others)} does")
    return Finding(AuditVerdict.DOES_NOT_FOLLOW, remark=f"{target} {there}, and no other place does")


def judge_multiples(question: Question) -> Finding:
    """Percentages as whole counts: of the size that the paper says, or of one that is inferred.

    Printed is one size (``1920``), sizes to choose from (``256 or 500``) or a range (``50 to 1000``). A size is
    inferred only where its fits are not chance, after correction for the number of sizes tried.
    """
    operands = _distinct(question.operands())
    column = [_number(each) for each in operands]
    sizes = _sizes(question)
    fit = best_fit(column, sizes)
    shown = [fit_of(column, size, len(sizes)) for size in sizes] if len(sizes) <= SHOWN_SIZES else [fit]
    remark = "; ".join(_describe(each, operands) for each in shown)
    if len(sizes) > 1 and fit.probability > LEVEL:
        return Finding(
            AuditVerdict.CANNOT_BE_CHECKED,
            remark=f"of {question.printed_text}, no size stands out from chance: {remark}",
        )
    verdict = AuditVerdict.DOES_NOT_FOLLOW if fit.misfits else AuditVerdict.FOLLOWS
    return Finding(verdict, float(fit.size), remark=remark)


def _sizes(question: Question) -> list[int]:
    text = question.printed_text.replace(",", "")
    if match := re.fullmatch(r"(\d+) to (\d+)", text):
        return list(range(int(match[1]), int(match[2]) + 1))
    if not re.fullmatch(r"\d+( or \d+)*", text):
        raise question.mistake("printed is no size, such as '256', '256 or 500' or '50 to 1000'")
    return [int(size) for size in text.split(" or ")]


def _distinct(operands: Sequence[Operand]) -> list[Operand]:
    """Each printed number once: a table that repeats another is no further evidence."""
    return list({each.number: each for each in reversed(operands)}.values())[::-1]


def _describe(fit: Fit, operands: Sequence[Operand]) -> str:
    fits = f"n = {fit.size:,} fits {fit.fitting} of {len(operands)}"
    text = f"{fits}, {fit.expected:.1f} by chance (p = {fit.probability:.2g})"
    misfits = [operands[place] for place in fit.misfits]
    odd = ", ".join(f"{each.text} ({each.place})" if each.place else each.text for each in misfits)
    return f"{text}, not {odd}" if odd else text


def judge_shares(question: Question) -> Finding:
    """Two printed percentages: operands are the two, and the number of answers of both or of each."""
    numbers = question.numbers()
    if len(numbers) not in (3, 4):
        raise question.mistake("expected two percentages and one or two numbers of answers")
    first, second, size = (float(each.value) for each in numbers[:3])
    sizes = (int(size), int(float(numbers[-1].value)))
    return _judge_test(question, compare_shares(first, sizes[0], second, sizes[1]), "z")


def judge_seeds(question: Question) -> Finding:
    """Two sets of seeds, separated by a bar (Welch) or by two bars (paired by seed)."""
    paired = "||" in question.statement.operands
    sides = question.statement.operands.split("||" if paired else "|")
    if len(sides) != 2:
        raise question.mistake("expected two sets of seeds with a bar between them")
    first, second = (
        [float(_number(each).value) for each in read_operands(side, question.find, question.statement.origin)]
        for side in sides
    )
    return _judge_test(question, compare_seeds(first, second, paired), "t")


def judge_summaries(question: Question) -> Finding:
    """Two printed means with their deviations over seeds: operands are mean, deviation and seeds of each."""
    numbers = [float(each.value) for each in question.numbers(6)]
    sides = [Summary(mean, deviation, int(seeds)) for mean, deviation, seeds in (numbers[:3], numbers[3:])]
    return _judge_test(question, compare_summaries(*sides), "t")


def _judge_test(question: Question, test: Test, letter: str) -> Finding:
    said = question.printed_text
    if said not in (ALIKE, DIFFERENT):
        raise question.mistake(f"printed is '{said}', expected '{DIFFERENT}' or '{ALIKE}'")
    remark = f"{letter} = {test.statistic:.2f}, p = {test.probability:.2g}"
    if test.probability < LEVEL:
        return Finding(AuditVerdict.FOLLOWS if said == DIFFERENT else AuditVerdict.DOES_NOT_FOLLOW, remark=remark)
    return Finding(AuditVerdict.WITHIN_CHANCE if said == DIFFERENT else AuditVerdict.FOLLOWS, remark=remark)


COMPARING: Mapping[str, Callable[[Question], Finding]] = {
    "equal-to": judge_equal,
    "order": judge_order,
    "maximum": judge_extreme,
    "minimum": judge_extreme,
    "range": judge_range,
    "count": judge_count,
    "cross-reference": judge_pointer,
    "multiple-of": judge_multiples,
    "significance": judge_shares,
    "seed-significance": judge_seeds,
    "mean-significance": judge_summaries,
}
