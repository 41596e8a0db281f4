"""One grader for training and evaluation: a completion and a gold in, a verdict out."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from rlvr.core.boxed import last_boxed
from rlvr.core.errors import InputError
from rlvr.rewards.math_answers import check_math_gold, match_math
from rlvr.rewards.verdicts import Grade

# Raised by hand whenever a verdict could change; a new math-verify changes it by itself.
GRADER_VERSION = f"1+math-verify-{metadata.version('math-verify')}"
FORMATTING_TAG = re.compile(r"</?(?:think|answer)>")


@dataclass(frozen=True, slots=True)
class Verifier:
    """How the answers of one kind of problem are judged."""

    grade: Callable[[str, str], Grade]
    check_gold: Callable[[str], None]


def grade(text: str, gold: str, verifier: str) -> Grade:
    r"""Judge one completion.

    Args:
        text: The completion, any text; only its last ``\boxed{}`` counts for mathematics.
        gold: The right answer as the problem's table holds it.
        verifier: Kind of the problem: ``math``.

    Raises:
        InputError: If nothing grades such problems, or the gold cannot be read. Never because of ``text``.
    """
    return find_verifier(verifier).grade(text, gold)


def check_gold(gold: str, verifier: str) -> None:
    """Refuse a gold that cannot be graded against.

    Raises:
        InputError: If it cannot be read; the message names it and the problem.
    """
    find_verifier(verifier).check_gold(gold)


def find_verifier(name: str) -> Verifier:
    """The verifier of that name, or an error: an unknown one must stop the run, not score zero."""
    if name not in VERIFIERS:
        remedy = f"Choose one of {', '.join(sorted(VERIFIERS))}."
        raise InputError(f"verifier {name!r}", "nothing grades such problems.", remedy)
    return VERIFIERS[name]


def grade_math(text: str, gold: str) -> Grade:
    r"""Judge a mathematical completion by the content of its last ``\boxed{}``.

    SOURCE: paper, appendix A.3.1: formatting tags are stripped, the last box is found by a depth-aware scan.
    """
    extracted = last_boxed(FORMATTING_TAG.sub("", text))
    if extracted is None:
        return Grade("unparsed", None, "extract")
    verdict, stage = match_math(gold, extracted)
    return Grade(verdict, extracted.strip(), stage)


VERIFIERS = {"math": Verifier(grade_math, check_math_gold)}
