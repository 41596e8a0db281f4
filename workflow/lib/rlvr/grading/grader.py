"""One grader for training and evaluation: a completion and a gold in, a verdict out."""

import re
from collections.abc import Callable

from rlvr.core.boxed import last_boxed
from rlvr.core.errors import InputError
from rlvr.grading.mathematics.costs import LONGEST_ANSWER
from rlvr.grading.mathematics.math_answers import TIME_LIMIT_S, are_tame, check_math_gold, match_math, match_quickly
from rlvr.grading.verdicts import NO_META, Grade, Verifier

# Raised by hand whenever a verdict could change.
GRADER_VERSION = "4"
FORMATTING_TAG = re.compile(r"</?(?:think|answer)>")


def grade(text: str, gold: str, verifier: str, meta: str = NO_META) -> Grade:
    r"""Judge one completion in this process; many at once are for ``grading.batches``.

    Args:
        text: The completion, any text; only its last ``\boxed{}`` counts for mathematics.
        gold: The right answer as the problem's table holds it.
        verifier: Kind of the problem: ``math``, ``code`` or ``enigmata/<task>``.
        meta: What else the problem's table says, JSON.

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
    r"""The content of a completion's last ``\boxed{}``, the only part of it that counts for mathematics.

    SOURCE: paper, appendix A.3.1: formatting tags are stripped, the last box is found by a depth-aware scan. Of an
    answer that is too long to be compared only the beginning is kept.
    """
    answer = last_boxed(FORMATTING_TAG.sub("", text))
    return None if answer is None else answer.strip()[: LONGEST_ANSWER + 1]


def grade_math(answer: str | None, gold: str, _meta: str = NO_META) -> Grade:
    """Judge the answer to a mathematical problem; ``None`` says that the completion gave none."""
    if answer is None:
        return NO_ANSWER
    verdict, stage = match_math(gold, answer)
    return Grade(verdict, answer, stage)


def grade_math_quickly(answer: str | None, gold: str, _meta: str = NO_META) -> Grade | None:
    """The same where no computer algebra is needed, else ``None``."""
    if answer is None:
        return NO_ANSWER
    decided = match_quickly(gold, answer)
    return None if decided is None else Grade(decided[0], answer, decided[1])


def _math() -> dict[str, Verifier]:
    return {"math": MATH}


def _code() -> dict[str, Verifier]:
    from rlvr.grading.code.solutions import VERIFIERS

    return VERIFIERS


def _enigmata() -> dict[str, Verifier]:
    from rlvr.grading.enigmata import VERIFIERS

    return VERIFIERS


NO_ANSWER = Grade("unparsed", None, "extract")
MATH = Verifier(
    grade=grade_math,
    check_gold=lambda gold, _meta: check_math_gold(gold),
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
