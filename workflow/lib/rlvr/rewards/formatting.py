"""The format reward: a pure function of the assistant's text.

SOURCE: "Structure Over Scale", appendix A.3.2, equation 5: R_fmt is the sum of the weights whose constraint holds. The
constraints are given there in one line each; every reading of ours that goes beyond that line is tagged ASSUME.
"""

import re
from collections.abc import Callable, Iterator

from rlvr.core.turns import WORDS, find_user_turn, says_something
from rlvr.prompts import THINK_CLOSE, THINK_OPEN

THINK_TAG = re.compile(f"{re.escape(THINK_OPEN)}|{re.escape(THINK_CLOSE)}")

# ASSUME: what "empty or null" covers beside blanks, punctuation and invisible characters: one letter, however often,
# and words that stand in for a thought. A digit is one: "4" is short, not empty.
NULL_WORDS = re.compile(
    "null|none|nil|na|n|a|nan|nothing|empty|blank|void|undefined|no|not|any|todo|tbd|skip|skipped|pass|omitted|redacted"
    "|ok|okay|well|hm+|so|and|then|now|i|me|my|us|we|you|your|it|this|that|the|be|is|am|are|was|let|s|ll|will|can|to|by|about"
    "|thinks?|thinking|thoughts?|reason|reasoning|needed|necessary|required|needs?|here|steps?|process|placeholder|hidden"
    "|\u7565|\u65e0|\u7a7a|\u6ca1\u6709|\u601d\u8003"
)
COMMAND = re.compile(
    r"&#?[a-z0-9]+;|</?[a-z]+ ?/?>|\\(?:text(?:bf|it)?|boxed|quad|qquad|ldots|dots|n|t|r)(?![a-zA-Z])", re.IGNORECASE
)

# ASSUME: neither n nor the threshold is printed. On the 800 real completions of Qwen2.5-Math these values fire on
# loops and on no correct answer.
NGRAM_WORDS = 4
MIN_NGRAMS = 16
MAX_REPEATED_SHARE = 0.5
# ASSUME: words of this length are writing without blanks (Chinese, "hahaha", digits): where most of their runs of
# characters repeat, these are counted as well. Formulas without blanks repeat some of theirs.
LONG_WORD = 40
NGRAM_CHARACTERS = 8
LOOP_SHARE = 0.75


def closes_thinking(text: str) -> bool:
    """Structure: a closing tag that closes an opened reasoning block."""
    opened = text.find(THINK_OPEN)
    return opened >= 0 and text.find(THINK_CLOSE, opened + len(THINK_OPEN)) >= 0


def answers_after_thinking(text: str) -> bool:
    """Answer existence: something that can be read after the last closing tag."""
    _, closing, after = text.rpartition(THINK_CLOSE)
    return bool(closing) and says_something(after)


def simulates_user(text: str) -> bool:
    """Hallucination: the model goes on to write the user's next turn."""
    return find_user_turn(text) is not None


def thinks_nothing(text: str) -> bool:
    """Lazy thinking: a closed reasoning block without a thought inside: nothing, one letter, words for nothing."""
    before, closing, _ = text.partition(THINK_CLOSE)
    _, opening, thought = before.partition(THINK_OPEN)
    return bool(opening and closing) and not _is_thought(thought)


def _is_thought(text: str) -> bool:
    bare = COMMAND.sub(" ", text)
    if not says_something(bare):
        return False
    words = [word.casefold() for word in WORDS.findall(bare)]
    return any(not NULL_WORDS.fullmatch(word) for word in words) and (
        len(set("".join(words))) > 1 or "".join(words).isdigit()
    )


def repeats_itself(text: str) -> bool:
    """Repetition: over half of the n-grams, counted line by line, have occurred before.

    An n-gram is four words, or, in a word of 40 characters or more (writing without blanks), eight characters if over
    three quarters of them repeat in it. A line of fewer than four words counts as one n-gram, so that repeated short
    lines are seen as well as loops within one endless line. Texts with fewer than 16 n-grams are too short to judge.
    Linear in the length of the text.
    """
    total = 0
    distinct: set[tuple[str, ...] | str] = set()
    for line in text.splitlines():
        for ngram in _ngrams(line):
            distinct.add(ngram)
            total += 1
    return total >= MIN_NGRAMS and 1 - len(distinct) / total > MAX_REPEATED_SHARE


def _ngrams(line: str) -> Iterator[tuple[str, ...] | str]:
    words = line.casefold().split()
    if words:
        yield from (tuple(words[start : start + NGRAM_WORDS]) for start in range(max(len(words) - NGRAM_WORDS + 1, 1)))
    for word in words:
        if len(word) >= LONG_WORD:
            runs = [word[start : start + NGRAM_CHARACTERS] for start in range(len(word) - NGRAM_CHARACTERS + 1)]
            if len(set(runs)) < (1 - LOOP_SHARE) * len(runs):
                yield from runs


def has_malformed_tags(text: str) -> bool:
    """Malformed XML: anything but exactly one opening tag followed by exactly one closing tag."""
    return THINK_TAG.findall(text) != [THINK_OPEN, THINK_CLOSE]


# SOURCE: "Structure Over Scale", appendix A.3.2. The largest sum, 0.75, stays below the accuracy reward of 1.
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
