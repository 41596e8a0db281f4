r"""Whether two mathematical answers are the same: text and numbers first, computer algebra for the rest.

The full comparison is math-verify, used the only way that reads every gold correctly: the gold wrapped in ``$...$``
(raw, ``2\sqrt{3}`` would become 2), the last box alone wrapped in ``\boxed{}`` (adjacent boxes would be merged), gold
first (intervals and assignments are compared asymmetrically). math-verify reports its own timeouts as "different";
its limits are therefore off and ours is on.
"""

import logging
import math
import re
from functools import lru_cache
from typing import Any

from rlvr.core.errors import InputError
from rlvr.rewards.answers import as_number, as_words, clean_answer, same_number, same_string, same_words
from rlvr.rewards.time_limit import TimedOutError, time_limit
from rlvr.rewards.verdicts import Stage, Verdict

TIME_LIMIT_S = 5.0  # for all of one comparison: parsing and every pair of candidate readings
MAX_ANSWER_CHARS = 300  # ASSUME: the longest real gold of DeepMath, MATH and AIME that we know has 161
MAX_NESTING = 10  # brackets within brackets: 16 of them already cost seconds of parsing
COSTLY_SHAPES = (
    re.compile(r"(?:\^\s*[{(]*\s*[\w!]+\s*){3}"),  # towers of exponents
    re.compile(r"\^\s*[{(]*\s*\d{5}"),  # huge exponents
    re.compile(r"(?:!|\\(?:sum|prod|[dt]?binom)).*\d{5}|\d{5}.*!", re.DOTALL),  # huge factorials, sums and products
    re.compile(r"\d\s*\^[^!]*\)\s*!"),  # factorials of powers
)
DOUBLE_EXPONENT = re.compile(r"\^\s*[{(]*\s*(\d{1,4})\s*\^\s*[{(]*\s*(\d{1,4})")
MAX_EXPONENT_DIGITS = 5


def match_math(gold: str, answer: str) -> tuple[Verdict, Stage]:
    """Compare an extracted answer with its gold.

    Args:
        gold: The right answer, without box; see ``check_math_gold``.
        answer: What stood in the completion's last box.

    Returns:
        Verdict and the stage that decided: ``rule`` (same string, text or number), ``parse`` (the answer cannot be
        read, or is of a kind that computer algebra must not see), ``match`` (math-verify compared the two).

    Raises:
        InputError: If the gold cannot be read.
    """
    return _match(clean_answer(gold), clean_answer(answer))


@lru_cache(maxsize=2**16)
def _match(gold: str, answer: str) -> tuple[Verdict, Stage]:
    if not answer:
        return "unparsed", "parse"
    same = match_fast(gold, answer)
    if same is not None:
        return ("correct" if same else "wrong"), "rule"
    if is_hostile(answer, gold):
        return "unparsed", "parse"
    return match_symbolic(gold, answer)


def match_fast(gold: str, answer: str) -> bool | None:
    """The decision that needs no computer algebra, or ``None``. Both answers cleaned."""
    if same_string(gold, answer):
        return True
    same = same_words(gold, answer)
    return same_number(gold, answer) if same is None else same


def is_hostile(answer: str, gold: str = "") -> bool:
    """Whether an answer could keep a parser busy: too long, too deep, or a number too large to write down.

    Such answers are not compared at all; an honest one is never that large unless its gold is, too. The time limit
    guards against what passes here, but outside the main thread it cannot interrupt the product of two huge integers.
    """
    if len(answer) > max(MAX_ANSWER_CHARS, 2 * len(gold)) or nesting(answer) > MAX_NESTING:
        return True
    powers = (int(power[2]) * math.log10(int(power[1]) or 1) for power in DOUBLE_EXPONENT.finditer(answer))
    return max(powers, default=0) > MAX_EXPONENT_DIGITS or any(shape.search(answer) for shape in COSTLY_SHAPES)


def nesting(text: str) -> int:
    """Largest number of brackets of any kind that are open at once."""
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(depth - 1, 0)
    return deepest


def match_symbolic(gold: str, answer: str) -> tuple[Verdict, Stage]:
    """The full comparison by math-verify, of cleaned answers; verdict and stage as in ``match_math``."""
    golds = parse_gold(gold)
    stage: Stage = "parse"
    try:
        with time_limit(TIME_LIMIT_S):
            answers = _parse(rf"\boxed{{{answer}}}")
            if not answers:
                return "unparsed", "parse"
            stage = "match"
            same = _verify(golds, answers)
    except TimedOutError:
        return "timed_out", stage
    return ("correct" if same else "wrong"), "match"


@lru_cache(maxsize=4096)
def parse_gold(gold: str) -> list[Any]:
    """math-verify's readings of a cleaned gold: a sympy expression, where there is one, and a string.

    Raises:
        InputError: If there is no reading, or none within the time limit.
    """
    try:
        with time_limit(TIME_LIMIT_S):
            golds = _parse(f"${gold}$")
    except TimedOutError:
        golds = []
    if not golds:
        raise InputError(f"gold answer {gold!r}", "cannot be read as mathematics.", "Correct or drop the problem.")
    return golds


def check_math_gold(gold: str) -> None:
    """Refuse a gold that no answer could match.

    Raises:
        InputError: If the gold is empty, has unbalanced braces or cannot be parsed.
    """
    cleaned = clean_answer(gold)
    bare = re.sub(r"\\.", "", cleaned, flags=re.DOTALL)
    if not cleaned:
        raise InputError(f"gold answer {gold!r}", "is empty.", "Correct or drop the problem.")
    if bare.count("{") != bare.count("}"):
        raise InputError(f"gold answer {gold!r}", "has unbalanced braces.", "Correct or drop the problem.")
    if as_number(cleaned) is None and as_words(cleaned) is None:
        parse_gold(cleaned)


def _parse(text: str) -> list[Any]:
    return _math_verify().parse(text, parsing_timeout=None)


def _verify(golds: list[Any], answers: list[Any]) -> bool:
    return _math_verify().verify(golds, answers, timeout_seconds=None)


@lru_cache(maxsize=1)
def _math_verify() -> Any:
    """math-verify, imported when first needed (0.8 s), without its warning that its own limits are off."""
    import math_verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)
    return math_verify
