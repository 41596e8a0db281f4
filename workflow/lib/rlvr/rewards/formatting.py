"""The format reward: a pure function of the assistant's text.

SOURCE: paper, appendix A.3.2, equation 5: R_fmt is the sum of the weights whose constraint holds. The constraints are
given there in one line each; every reading of ours that goes beyond that line is tagged ASSUME.
"""

import re
from collections.abc import Callable

from rlvr.prompts import THINK_CLOSE, THINK_OPEN, USER_TURN_MARKERS

THINK_TAG = re.compile(f"{re.escape(THINK_OPEN)}|{re.escape(THINK_CLOSE)}")
NULL_THOUGHTS = frozenset({"", "null", "none", "nil", "n/a", "...", "\u2026"})  # ASSUME: what "empty or null" covers

# A marker made of letters simulates a turn where it begins a line; a chat template's control token does so anywhere.
USER_TURN = re.compile(
    "|".join(rf"^[ \t]*{re.escape(mark)}" if mark[0].isalpha() else re.escape(mark) for mark in USER_TURN_MARKERS),
    re.MULTILINE,
)

# ASSUME: neither n nor the threshold is printed. On the 800 real completions of Qwen2.5-Math these values fire on
# loops and on no correct answer.
NGRAM_WORDS = 4
MIN_NGRAMS = 16
MAX_REPEATED_SHARE = 0.5


def closes_thinking(text: str) -> bool:
    """Structure: a closing tag that closes an opened reasoning block."""
    opened = text.find(THINK_OPEN)
    return opened >= 0 and text.find(THINK_CLOSE, opened + len(THINK_OPEN)) >= 0


def answers_after_thinking(text: str) -> bool:
    """Answer existence: anything but spaces and tags after the last closing tag."""
    _, closing, after = text.rpartition(THINK_CLOSE)
    return bool(closing) and bool(THINK_TAG.sub("", after).strip())


def simulates_user(text: str) -> bool:
    """Hallucination: the model goes on to write the user's next turn."""
    return USER_TURN.search(text) is not None


def thinks_nothing(text: str) -> bool:
    """Lazy thinking: a closed reasoning block with nothing, or a null word, inside."""
    before, closing, _ = text.partition(THINK_CLOSE)
    _, opening, thought = before.partition(THINK_OPEN)
    return bool(opening and closing) and thought.strip().casefold() in NULL_THOUGHTS


def repeats_itself(text: str) -> bool:
    """Repetition: over half of the 4-word n-grams, counted line by line, have occurred before.

    A line of fewer than four words counts as one n-gram, so that repeated short lines are seen as well as loops within
    one endless line. Texts with fewer than 16 n-grams are too short to judge. Linear in the length of the text.
    """
    total = 0
    distinct: set[tuple[str, ...]] = set()
    for line in text.splitlines():
        words = line.casefold().split()
        starts = range(max(len(words) - NGRAM_WORDS + 1, 1)) if words else ()
        distinct.update(tuple(words[start : start + NGRAM_WORDS]) for start in starts)
        total += len(starts)
    return total >= MIN_NGRAMS and 1 - len(distinct) / total > MAX_REPEATED_SHARE


def has_malformed_tags(text: str) -> bool:
    """Malformed XML: anything but exactly one opening tag followed by exactly one closing tag."""
    return THINK_TAG.findall(text) != [THINK_OPEN, THINK_CLOSE]


# SOURCE: paper, appendix A.3.2. The largest sum, 0.75, stays below the accuracy reward of 1.
CONSTRAINTS: dict[Callable[[str], bool], float] = {
    closes_thinking: 0.375,
    answers_after_thinking: 0.375,
    simulates_user: -0.75,
    thinks_nothing: -0.6,
    repeats_itself: -0.5,
    has_malformed_tags: -0.3,
}


def format_reward(text: str) -> float:
    """R_fmt of the assistant's whole turn, tags that the prompt opened included; between -2.15 and 0.75."""
    return sum(weight for holds, weight in CONSTRAINTS.items() if holds(text))
