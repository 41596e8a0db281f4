"""One grader for training and evaluation: a completion and a gold in, a verdict out."""

import re
from collections.abc import Callable
from dataclasses import replace

from rlvr.core.boxed import last_box, opens_last_box
from rlvr.core.errors import InputError
from rlvr.core.turns import ANSWER_TAG, THINK_OPEN, own_turn, says_something, split_turn
from rlvr.grading.mathematics.costs import LONGEST_ANSWER
from rlvr.grading.mathematics.math_answers import TIME_LIMIT_S, are_tame, check_math_gold, match_math, match_quickly
from rlvr.grading.placeholders import check_is_answer
from rlvr.grading.verdicts import NO_META, Grade, Verifier

# Raised by hand whenever a verdict could change.
GRADER_VERSION = "4"
FORMATTING_TAG = re.compile(r"</?(?:think|answer)>")
AS_PRINTED = "as-printed"
# What may stand before an answer that is only stated again, and behind it.
ANNOUNCED = re.compile(
    r"(?:(?:so|thus|hence|therefore|and|the|my|final|correct|answer|result|solution|value|is|are|equals|be|to|it|we"
    r"|get|have|which|this|that)\b|[\s,:=$*\\(\[])*",
    re.IGNORECASE,
)


def grade(text: str, gold: str, verifier: str, meta: str = NO_META) -> Grade:
    r"""Judge one completion in this process; many at once are for ``grading.batches``.

    Args:
        text: The completion, any text; for mathematics only what ``last_answer`` finds counts.
        gold: The right answer as the problem's table holds it.
        verifier: Kind of the problem: ``math``, ``math/as-printed``, ``code`` or ``enigmata/<task>``.
        meta: Further facts of the problem, JSON.

    Raises:
        InputError: If nothing grades such problems, or the gold cannot be read. Never because of ``text``.
    """
    judge = find_verifier(verifier)
    return judge.grade(judge.essence(text), gold, meta)


def check_gold(gold: str, verifier: str, meta: str = NO_META) -> None:
    """Refuse a gold that cannot be graded against.

    Raises:
        InputError: If it cannot be read; the message names it and the problem.
    """
    find_verifier(verifier).check_gold(gold, meta)


def find_verifier(name: str) -> Verifier:
    """The verifier of that name, or an error: an unknown one must stop the run, not score zero."""
    family = name.partition("/")[0]
    verifiers = FAMILIES[family]() if family in FAMILIES else {}
    if name not in verifiers:
        known = ", ".join(sorted({*FAMILIES, *verifiers}))
        raise InputError(f"verifier {name!r}", "nothing grades such problems.", f"Choose one of {known}.")
    return verifiers[name]


def last_answer(text: str) -> str | None:
    r"""The answer of a completion to a mathematical problem, the only part of it that counts.

    It is the last box of what the model says after its reasoning, or of everything where no reasoning is closed. A box
    in the reasoning counts where nothing is said after it, or only the same answer again; nowhere does a box that
    reasoning and answer share, or one in a turn that the model invented. Of an answer that is too long to be compared
    only the beginning is kept.

    DEVIATION: "Structure Over Scale" takes the last box anywhere (``printed_answer``); then an answer that the model
    took back would be rewarded.
    """
    own = own_turn(text)
    if "<" not in own:  # no tag, no reasoning to divide: megabytes are read once
        return _kept(last_box(own))
    reasoning, said = split_turn(ANSWER_TAG.sub("", own))
    if said is None:
        return _kept(_last_of(reasoning))
    if (answer := last_box(said)) is not None:
        return _kept(answer)
    within = None if opens_last_box(reasoning) else _last_of(reasoning)
    return _kept(within) if within is not None and (not says_something(said) or _repeats(said, within)) else None


def printed_answer(text: str) -> str | None:
    r"""The answer where the rule of "Structure Over Scale" finds it, for its reproduction.

    SOURCE: "Structure Over Scale", appendix A.3.1: formatting tags are stripped, the last box is found by a
    depth-aware scan.
    """
    return _kept(last_box(FORMATTING_TAG.sub("", text)))


def as_printed(verifier: str) -> str:
    """Name of the verifier that finds answers by the rule of "Structure Over Scale"; other kinds keep their name."""
    return f"{verifier}/{AS_PRINTED}" if verifier == "math" else verifier


def _kept(answer: str | None) -> str | None:
    return None if answer is None else answer.strip()[: LONGEST_ANSWER + 1]


def _last_of(reasoning: str) -> str | None:
    """The last box that no opening tag splits."""
    parts = (last_box(part) for part in reversed(reasoning.split(THINK_OPEN)))
    return next((answer for answer in parts if answer is not None), None)


def _repeats(said: str, answer: str) -> bool:
    """Whether words that only announce an answer, and that answer, are all that is said."""
    start = said.find(answer.strip())
    if start < 0 or not answer.strip():
        return False
    before, after = said[:start], said[start + len(answer.strip()) :]
    return ANNOUNCED.fullmatch(before) is not None and not says_something(after)


def grade_math(answer: str | None, gold: str, _meta: str = NO_META) -> Grade:
    """Judge the answer to a mathematical problem; ``None`` says that the completion gave none."""
    if answer is None:
        return NO_ANSWER
    verdict, stage = match_math(gold, answer)
    return Grade(verdict, answer, stage)


def grade_math_quickly(answer: str | None, gold: str, _meta: str = NO_META) -> Grade | None:
    """Grade a mathematical answer where that needs no computer algebra; ``None`` where it does."""
    if answer is None:
        return NO_ANSWER
    decided = match_quickly(gold, answer)
    return None if decided is None else Grade(decided[0], answer, decided[1])


def check_math(gold: str, _meta: str = NO_META) -> None:
    """Refuse a gold of mathematics that is not an answer, or cannot be read.

    Raises:
        InputError: Names the gold.
    """
    if gold.strip():
        check_is_answer(gold)
    check_math_gold(gold)


def _math() -> dict[str, Verifier]:
    return {"math": MATH, as_printed("math"): replace(MATH, essence=printed_answer)}


def _code() -> dict[str, Verifier]:
    from rlvr.grading.code.solutions import VERIFIERS

    return VERIFIERS


def _enigmata() -> dict[str, Verifier]:
    from rlvr.grading.enigmata import VERIFIERS

    return VERIFIERS


NO_ANSWER = Grade("unparsed", None, "extract")
MATH = Verifier(
    grade=grade_math,
    check_gold=check_math,
    essence=last_answer,
    quick=grade_math_quickly,
    tame=are_tame,
    limit_s=TIME_LIMIT_S + 2,  # its own limit ends it in time, unless it is inside one long call into C code
)
FAMILIES: dict[str, Callable[[], dict[str, Verifier]]] = {  # imported when a problem of theirs is met
    "math": _math,
    "code": _code,
    "enigmata": _enigmata,
}
