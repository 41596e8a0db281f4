r"""Answers that hold the gold and say something else: ``> 5``, ``5 or more``, ``5 million``, another base.

math-verify drops words, leading relations and bases before it compares; asked before it, these refuse such answers.
"""

import re
from collections.abc import Callable

from rlvr.grading.mathematics.answers import TEXT_COMMAND
from rlvr.grading.mathematics.lists import split_top_level, unwrap
from rlvr.grading.mathematics.notation import COMMAND, write_out_scale
from rlvr.grading.mathematics.rewriting import QUANTIFIER, Same, is_interval, matched_once

SIGN = r"(?:<|>|\\(?:leq?|geq?)(?:slant)?(?![A-Za-z])|\\(?:lt|gt|neq?|ll|gg)(?![A-Za-z])|\u2264|\u2265|\u2260)"
BOUND_WORDS = (
    r"\b(?:at\s+(?:least|most)|(?:more|less|fewer|greater|larger|smaller)\s+than|between"
    r"|or\s+(?:more|less|fewer|greater|larger|smaller|above|below|higher|lower))\b"
)
BOUND = re.compile(rf"\s*(?!<.*>\s*$){SIGN}|.*{BOUND_WORDS}", re.IGNORECASE | re.DOTALL)
OPEN_GOLD = re.compile(rf"{SIGN}|{BOUND_WORDS}|\\infty|\\in(?![A-Za-z])", re.IGNORECASE)
IN_BASE = re.compile(r"[\dA-Z]+\s*_\s*(?:\{\s*(\w+)\s*\}|(\d))")
LOST_SYMBOL = re.compile(r"[\d)}]([cdghlmost])$")  # math-verify 0.9.0 takes these letters for units and drops them


def says_otherwise(gold: str, answer: str, same: Same) -> bool:
    """Whether an answer denies its gold, however much of it looks the same.

    Args:
        gold: Cleaned gold.
        answer: Cleaned answer.
        same: The usual comparison, gold first.
    """
    return any(denies(gold, answer, same) for denies in DENIALS)


def _only_bounds(gold: str, answer: str, _same: Same) -> bool:
    """A bound of a number is not the number."""
    words = TEXT_COMMAND.sub(r" \1 ", QUANTIFIER.sub(" ", answer))
    return BOUND.match(words) is not None and not OPEN_GOLD.search(gold) and not is_interval(gold)


def _in_another_base(gold: str, answer: str, _same: Same) -> bool:
    """The base may be left out, not changed."""
    first, second = IN_BASE.fullmatch(gold), IN_BASE.fullmatch(answer)
    return first is not None and second is not None and (first[1] or first[2]) != (second[1] or second[2])


def _drops_symbol(gold: str, answer: str, _same: Same) -> bool:
    """A letter right behind a number of the gold is a variable, no unit that may be left out."""
    symbol = LOST_SYMBOL.search(gold)
    return symbol is not None and symbol[1] not in COMMAND.sub("", answer).lower()


def _is_scaled(gold: str, answer: str, same: Same) -> bool:
    """Five million is not 5, unless the gold has the word, too."""
    scaled = write_out_scale(answer)
    return scaled is not None and write_out_scale(gold) is None and not same(gold, scaled)


def _repeats_others(gold: str, answer: str, same: Same) -> bool:
    """Where the gold repeats an entry, as many entries must be the same ones, each as often."""
    golds, answers = (split_top_level(unwrap(text)[1]) for text in (gold, answer))
    if len(set(golds)) == len(golds) or len(golds) != len(answers):
        return False
    return not any("=" in one or ":" in one for one in answers) and not matched_once(golds, answers, same)


DENIALS: tuple[Callable[[str, str, Same], bool], ...] = (
    _only_bounds,
    _in_another_base,
    _drops_symbol,
    _is_scaled,
    _repeats_others,
)
