"""The one reading of an answer, found by the first kind that covers its tokens to the last one."""

from collections.abc import Callable
from functools import lru_cache

from rlvr.grading.mathematics.kinds import Reading, Text
from rlvr.grading.mathematics.latex import Tokens, UnreadableError
from rlvr.grading.mathematics.tidying import tidy

MAX_DEPTH = 8


@lru_cache(maxsize=4096)
def read(tokens: Tokens, products: frozenset[str] = frozenset(), depth: int = 0) -> Reading:
    """The one reading of tokens.

    Args:
        tokens: What is left when the answer is tidied.
        products: Names that are known to be numbers (``syntax.parse``).
        depth: How many readings hold this one.
    """
    tokens = tidy(tokens).tokens if depth else tokens
    if not tokens or depth > MAX_DEPTH:
        return Text(tokens)
    for rule in rules():
        try:
            found = rule(tokens, products, depth + 1)
        except UnreadableError:
            found = None
        if found is not None:
            return found
    return Text(tokens)


@lru_cache(maxsize=1)
def rules() -> tuple[Callable[[Tokens, frozenset[str], int], Reading | None], ...]:
    """The rules, which read the parts of an answer by ``read`` in turn."""
    from rlvr.grading.mathematics.readings import RULES

    return RULES
