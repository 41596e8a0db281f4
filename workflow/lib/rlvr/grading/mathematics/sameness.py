"""Whether two readings are the same answer: the first decision that is sure counts."""

from collections.abc import Callable
from collections.abc import Sequence as Items
from functools import lru_cache
from typing import Any

from rlvr.grading.mathematics.kinds import Reading, Text


def same(gold: Reading, answer: Reading) -> bool:
    """Whether an answer's reading is that of its gold."""
    if gold == answer:
        return not isinstance(gold, Text) or bool(gold.tokens)
    for decide in decisions():
        decided = decide(gold, answer)
        if decided is not None:
            return decided
    return False


def matched_once(golds: Items[Any], answers: Items[Any], equal: Callable[[Any, Any], bool]) -> bool:
    """Whether the two hold the same entries, each as often, in any order."""
    left = list(answers)
    if len(left) != len(golds):
        return False
    for gold in golds:
        found = next((place for place, item in enumerate(left) if equal(gold, item)), None)
        if found is None:
            return False
        del left[found]
    return not left


@lru_cache(maxsize=1)
def decisions() -> tuple[Callable[[Reading, Reading], bool | None], ...]:
    """The decisions, which compare the parts of readings by ``same`` in turn."""
    from rlvr.grading.mathematics.comparison import DECISIONS

    return DECISIONS
