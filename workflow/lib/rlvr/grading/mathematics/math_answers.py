r"""Whether two mathematical answers are the same: text and numbers first, then what their readings say.

Every answer has one reading (``readings``); a text that none of its kinds covers to the last sign is compared as text.
Expressions are the same if they have the same values at random points (``equality``).
"""

import re
from functools import lru_cache

from rlvr.core.errors import InputError
from rlvr.grading.mathematics.answers import as_number, clean_answer, same_number, same_string, same_words
from rlvr.grading.mathematics.choices import chooses, letter_of
from rlvr.grading.mathematics.costs import expansion_cost, is_hostile, is_too_long, nesting
from rlvr.grading.mathematics.expressions import evaluate, same_expression
from rlvr.grading.mathematics.kinds import Text
from rlvr.grading.mathematics.latex import UnreadableError, tokenize
from rlvr.grading.mathematics.lists import same_entries
from rlvr.grading.mathematics.reader import read
from rlvr.grading.mathematics.sameness import same
from rlvr.grading.mathematics.tidying import Tidied, tidy
from rlvr.grading.time_limit import TimedOutError, time_limit
from rlvr.grading.verdicts import Stage, Verdict

TIME_LIMIT_S = 5.0  # for all of one comparison
INFINITE = re.compile(r"[+-]?\s*\\infty|\\pm\s*\\infty")
TAME_CHARS = 120
TAME_NESTING = 5
LONG_WORK = re.compile(
    r"[<>=!|]|\\(?:sum|prod|i*int|oint|le|ge|ne|leq|geq|neq|leqslant|geqslant|lt|gt|mid|lvert|binom|dbinom|begin)(?![A-Za-z])"
)
ORDINAL = re.compile(
    r"(-?\d+)\s*\^?\s*\{?\s*(?:\\(?:text|mathrm|rm|textsuperscript)\s*\{?)?\s*(?:st|nd|rd|th)\s*\}?\s*\}?"
)
QUOTED_LIST = re.compile(r"\[\s*((?:'[^']*'|\"[^\"]*\")(?:\s*,\s*(?:'[^']*'|\"[^\"]*\"))*)\s*\]")
QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
SMALL_UNIT = r"(?:[msghL]|[mck]?m|k?g|m?L)\s*(?:\^\s*\{?\s*-?[123]\s*\}?)?"
WITH_SMALL_UNIT = re.compile(rf"([+-]?\d[\d,]*(?:\.\d+)?)\s+({SMALL_UNIT}(?:\s*/\s*{SMALL_UNIT})?)")


def match_math(gold: str, answer: str) -> tuple[Verdict, Stage]:
    """Compare an extracted answer with its gold.

    Args:
        gold: The right answer, without box; see ``check_math_gold``.
        answer: What stood in the completion's last box.

    Returns:
        Verdict and the stage that decided: ``rule`` (same string, text, number or elementary expression), ``parse``
        (there is no answer, or one that is too large to be compared), ``match`` (the readings were compared).

    Raises:
        InputError: If the gold cannot be read.
    """
    gold, answer = clean_answer(gold), clean_answer(answer)
    return ("unparsed", "parse") if is_too_long(answer, gold) else _match(gold, answer)


@lru_cache(maxsize=2**16)
def _match(gold: str, answer: str) -> tuple[Verdict, Stage]:
    return _decide_quickly(gold, answer) or match_symbolic(gold, answer)


def match_quickly(gold: str, answer: str) -> tuple[Verdict, Stage] | None:
    """The decision of ``match_math`` where nothing need be computed, else ``None``."""
    gold, answer = clean_answer(gold), clean_answer(answer)
    return ("unparsed", "parse") if is_too_long(answer, gold) else _decide_quickly(gold, answer)


@lru_cache(maxsize=2**16)
def _decide_quickly(gold: str, answer: str) -> tuple[Verdict, Stage] | None:
    if not answer:
        return "unparsed", "parse"
    same_answer = match_fast(gold, answer)
    if same_answer is not None:
        return ("correct" if same_answer else "wrong"), "rule"
    return ("unparsed", "parse") if is_hostile(answer, gold) else None


def are_tame(answer: str | None, gold: str) -> bool:
    """Whether comparing two answers that are not hostile surely takes milliseconds: no sums, no relations."""
    return all(
        len(one) <= TAME_CHARS and one.isascii() and not LONG_WORK.search(one) and nesting(one) <= TAME_NESTING
        for one in (answer or "", gold)
    )


def match_fast(gold: str, answer: str) -> bool | None:
    """The decision that needs no reading, or ``None``. Both answers cleaned."""
    same_answer = _match_one(gold, answer)
    return same_entries(gold, answer, _match_entry) if same_answer is None else same_answer


def _match_one(gold: str, answer: str) -> bool | None:
    if same_string(gold, answer):
        return True
    for decide in (same_words, same_number, same_expression):
        if (same_answer := decide(gold, answer)) is not None:
            return same_answer
    return None


def _match_entry(gold: str, answer: str) -> bool | None:
    """Compare an entry of a list: words are left alone there, infinity is known."""
    if same_string(gold, answer):
        return True
    same_answer = same_number(gold, answer)
    if same_answer is None and (INFINITE.fullmatch(gold) is None) == (INFINITE.fullmatch(answer) is None):
        return same_expression(gold, answer)
    infinite = INFINITE.fullmatch(gold) or INFINITE.fullmatch(answer)
    return False if same_answer is None and infinite and (as_number(gold) or as_number(answer)) else same_answer


def match_symbolic(gold: str, answer: str) -> tuple[Verdict, Stage]:
    """The comparison of readings, of cleaned answers.

    Verdict and stage are those of ``match_math``.
    """
    tokens_of_gold = tidied_gold(gold)
    try:
        with time_limit(TIME_LIMIT_S):
            return ("correct" if _same_answers(gold, tokens_of_gold, answer) else "wrong"), "match"
    except (TimedOutError, MemoryError, RecursionError):
        return "timed_out", "match"


def _same_answers(gold: str, tokens_of_gold: Tidied, answer: str) -> bool:
    letter = letter_of(gold)
    if letter and (chosen := chooses(answer, letter)) is not None:
        return chosen
    try:
        tokens = tidied(answer)
    except UnreadableError:
        return False
    if not tokens.tokens:
        return False
    if tokens_of_gold.units and tokens.units and not tokens_of_gold.units & tokens.units:
        return False
    products = factors_before_brackets((*tokens_of_gold.tokens, *tokens.tokens))
    return same(read(tokens_of_gold.tokens, products), read(tokens.tokens, products))


def tidied(text: str) -> Tidied:
    """Tokens of a cleaned answer without what may be left out.

    Raises:
        UnreadableError: If it is no LaTeX.
    """
    if ordinal := ORDINAL.fullmatch(text):
        text = ordinal[1]
    if quoted := QUOTED_LIST.fullmatch(text):
        text = rf"\{{{', '.join(one or other for one, other in QUOTED.findall(quoted[1]))}\}}"
    if united := WITH_SMALL_UNIT.fullmatch(text):
        text = rf"{united[1]}\text{{ {united[2]}}}"
    return tidy(tokenize(text))


@lru_cache(maxsize=4096)
def tidied_gold(gold: str) -> Tidied:
    """Tokens of a cleaned gold.

    Raises:
        InputError: If there are none.
    """
    try:
        tokens = tidied(gold)
    except UnreadableError:
        tokens = Tidied((), frozenset())
    if not tokens.tokens:
        raise InputError(f"gold answer {gold!r}", "cannot be read as mathematics.", "Correct or drop the problem.")
    return tokens


def factors_before_brackets(tokens: tuple) -> frozenset[str]:
    """Names before a bracket that stand for numbers: they occur without one, too, and the bracket holds a sum."""
    alone, before_sum = set(), set()
    for place, token in enumerate(tokens):
        if token.kind != "name":
            continue
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if following is None or following.text != "(":
            alone.add(token.text)
            continue
        inside = []
        for inner in tokens[place + 2 :]:
            if inner.text == ")":
                break
            inside.append(inner.text)
        if {"+", "-"} & set(inside):
            before_sum.add(token.text)
    return frozenset((alone & before_sum) - {"f"})


def check_math_gold(gold: str) -> None:
    """Refuse a gold that no answer could match, or that is not read whole.

    Raises:
        InputError: If the gold is empty, has unbalanced braces, or holds signs that are neither mathematics nor words.
    """
    cleaned = clean_answer(gold)
    bare = re.sub(r"\\.", "", cleaned, flags=re.DOTALL)
    if not cleaned:
        raise InputError(f"gold answer {gold!r}", "is empty.", "Correct or drop the problem.")
    if bare.count("{") != bare.count("}"):
        raise InputError(f"gold answer {gold!r}", "has unbalanced braces.", "Correct or drop the problem.")
    if as_number(cleaned) is not None or evaluate(cleaned) is not None:
        return
    tokens = tidied_gold(cleaned).tokens
    unknown = [token.text for token in tokens if token.kind in ("other", "mark", "quote")]
    reading = read(tokens)
    if isinstance(reading, Text) and unknown:
        raise InputError(
            f"gold answer {gold!r}",
            f"cannot be read whole: nothing is known of {unknown[0]!r}.",
            "Correct or drop the problem.",
        )


def forget() -> None:
    """Empty the caches of this process, for whoever measures."""
    for cached in (_match, _decide_quickly, tidied_gold, evaluate, read, tokenize, expansion_cost):
        cached.cache_clear()
