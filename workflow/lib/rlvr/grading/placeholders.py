"""Golds that stand for "there is none": written down by the makers of a data set, right for no question."""

import re

from rlvr.core.errors import InputError

# ASSUME: what stands in answer columns where nothing is known. "None" is among them although it can answer a question:
# the same word is what Python writes for a missing value, and a policy must not be rewarded for that.
WORDS = (
    "nan|none|null|nil|unknown|no answer|tbd|todo|missing|omitted",
    r"(?-i:N/?A|n/a|N\.A\.?|n\.a\.?)",  # not the symbol of sodium
    "not (?:available|applicable|given|provided|known)",
    "(?:see|refer to|check|cf\\.?)(?: the)? (?:above|below|solution|answer|explanation|proof|figure|text)s?",
    "(?:proof|answer|solution)(?: (?:omitted|required|above|below))?",
)
PLACEHOLDER = re.compile(
    "|".join((*WORDS, r"[-?\u2013\u2014._*\s\u2026]+", "<[a-z]+>", r"\[\]", r"\{\}")), re.IGNORECASE
)
WRAPPED = re.compile(r"\\(?:text|mathrm|textbf|mathbf|boxed)\s*\{(.*)\}", re.DOTALL)


def check_is_answer(gold: str) -> None:
    """Refuse a gold that is not an answer but stands in the place of one.

    Raises:
        InputError: Names the gold.
    """
    bare = gold.strip().strip("$").strip()
    if wrapped := WRAPPED.fullmatch(bare):
        bare = wrapped[1].strip()
    if PLACEHOLDER.fullmatch(bare.strip("()\"' ").rstrip("!") or "?") or PLACEHOLDER.fullmatch(
        bare.rstrip(".!") or "?"
    ):
        raise InputError(
            f"gold answer {gold!r}", "is not an answer but stands for one.", "Correct or drop the problem."
        )
