r"""Whether two mathematical answers are the same: text and numbers first, computer algebra for the rest.

The full comparison is math-verify, used the only way that reads every gold correctly: the gold wrapped in ``$...$``
(raw, ``2\sqrt{3}`` would become 2), the last box alone wrapped in ``\boxed{}`` (adjacent boxes would be merged), gold
first (intervals and assignments are compared asymmetrically). math-verify reports its own timeouts as "different";
its limits are therefore off and ours is on.
"""

import logging
import re
from functools import lru_cache
from typing import Any

from rlvr.core.errors import InputError
from rlvr.grading.mathematics.answers import as_number, as_words, clean_answer, same_number, same_string, same_words
from rlvr.grading.mathematics.costs import is_hostile, is_too_long, nesting
from rlvr.grading.mathematics.denials import says_otherwise
from rlvr.grading.mathematics.expressions import evaluate, same_expression
from rlvr.grading.mathematics.lists import same_entries
from rlvr.grading.mathematics.notation import match_in_plain_notation
from rlvr.grading.mathematics.rewriting import holds_relation, is_interval, match_rewritten
from rlvr.grading.time_limit import TimedOutError, time_limit
from rlvr.grading.verdicts import Stage, Verdict

TIME_LIMIT_S = 5.0  # for all of one comparison: parsing and every pair of candidate readings
INFINITE = re.compile(r"[+-]?\s*\\infty|\\pm\s*\\infty")
GOLD_LIMIT_S = 60.0  # a gold is trusted: only a machine that stands still may need that long
TAME = re.compile(r"(?:(?!\*\*)[^\\^]){0,30}", re.DOTALL)
TAME_NESTING = 3


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
    gold, answer = clean_answer(gold), clean_answer(answer)
    return ("unparsed", "parse") if is_too_long(answer, gold) else _match(gold, answer)


@lru_cache(maxsize=2**16)
def _match(gold: str, answer: str) -> tuple[Verdict, Stage]:
    return _decide_quickly(gold, answer) or match_symbolic(gold, answer)


def match_quickly(gold: str, answer: str) -> tuple[Verdict, Stage] | None:
    """The decision of ``match_math`` where it needs no computer algebra, else ``None``."""
    gold, answer = clean_answer(gold), clean_answer(answer)
    return ("unparsed", "parse") if is_too_long(answer, gold) else _decide_quickly(gold, answer)


@lru_cache(maxsize=2**16)
def _decide_quickly(gold: str, answer: str) -> tuple[Verdict, Stage] | None:
    if not answer:
        return "unparsed", "parse"
    same = match_fast(gold, answer)
    if same is not None:
        return ("correct" if same else "wrong"), "rule"
    return ("unparsed", "parse") if is_hostile(answer, gold) else None


def are_tame(answer: str | None, gold: str) -> bool:
    """Whether comparing two answers that are not hostile surely takes milliseconds: short, no commands, no powers."""
    return all(TAME.fullmatch(one) and nesting(one) <= TAME_NESTING for one in (answer or "", gold))


def match_fast(gold: str, answer: str) -> bool | None:
    """The decision that needs no computer algebra, or ``None``. Both answers cleaned."""
    same = _match_one(gold, answer)
    return same_entries(gold, answer, _match_entry) if same is None else same


def _match_one(gold: str, answer: str) -> bool | None:
    if same_string(gold, answer):
        return True
    for decide in (same_words, same_number, same_expression):
        if (same := decide(gold, answer)) is not None:
            return same
    return None


def _match_entry(gold: str, answer: str) -> bool | None:
    """The same for an entry of a list: words are left alone there, infinity is known."""
    if same_string(gold, answer):
        return True
    same = same_number(gold, answer)
    if same is None and (INFINITE.fullmatch(gold) is None) == (INFINITE.fullmatch(answer) is None):
        return same_expression(gold, answer)
    return False if same is None and (as_number(gold) or as_number(answer)) else same


def match_symbolic(gold: str, answer: str) -> tuple[Verdict, Stage]:
    """The full comparison, of cleaned answers: math-verify, then our rules of notation where that says different.

    Verdict and stage are those of ``match_math``.
    """
    golds = parse_gold(gold)
    stage: Stage = "parse"
    try:
        with time_limit(TIME_LIMIT_S):
            answers = _parse(rf"\boxed{{{answer}}}")
            stage = "match"
            if says_otherwise(gold, answer, _same_now):
                return "wrong", "rule"
            if answers and (_verify(golds, answers) or _is_same_interval(gold, answer, golds, answers)):
                return "correct", stage
            if match_rewritten(gold, answer, _same_now) or match_in_plain_notation(gold, answer, _same_now):
                return "correct", stage
    except TimedOutError:
        return "timed_out", stage
    return ("wrong", "match") if answers else ("unparsed", "parse")


def _is_same_interval(gold: str, answer: str, golds: list[Any], answers: list[Any]) -> bool:
    """An inequality may answer an interval; what could be a pair of numbers is none."""
    return is_interval(gold) and holds_relation(answer) and _verify(golds, answers, allow_set_relation_comp=True)


def _same_now(gold: str, answer: str) -> bool:
    """The comparison of parts of a gold and an answer, inside the time limit of the whole."""
    same = match_fast(gold, answer)
    if same is None:
        golds, answers = _parse(f"${gold}$"), _parse(rf"\boxed{{{answer}}}")
        same = bool(golds and answers) and _verify(golds, answers)
    return same


@lru_cache(maxsize=4096)
def parse_gold(gold: str) -> list[Any]:
    """math-verify's readings of a cleaned gold: a sympy expression, where there is one, and a string.

    Raises:
        InputError: If there is no reading, or none within the time limit.
    """
    _math_verify()  # its import is nobody's time
    try:
        with time_limit(GOLD_LIMIT_S):
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
    if as_number(cleaned) is None and as_words(cleaned) is None and evaluate(cleaned) is None:
        parse_gold(cleaned)


def forget() -> None:
    """Empty the caches of this process, for whoever measures."""
    for cached in (_match, _decide_quickly, parse_gold, evaluate):
        cached.cache_clear()


def _parse(text: str) -> list[Any]:
    return _math_verify().parse(text, parsing_timeout=None)


def _verify(golds: list[Any], answers: list[Any], **options: bool) -> bool:
    return _math_verify().verify(golds, answers, timeout_seconds=None, **options)


@lru_cache(maxsize=1)
def _math_verify() -> Any:
    """math-verify, imported when first needed (0.8 s), without its warning that its own limits are off."""
    import math_verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)
    return math_verify
