"""The rules of reading in the order in which they are asked, the last of them plain expressions."""

import re
from collections.abc import Callable

from rlvr.grading.mathematics.enumerations import bracketed, list_of, plus_minus, system
from rlvr.grading.mathematics.kinds import Based, Expression, Percent, Reading
from rlvr.grading.mathematics.latex import Token, Tokens
from rlvr.grading.mathematics.reader import read
from rlvr.grading.mathematics.sets import group, set_operations
from rlvr.grading.mathematics.statements import congruence, labelled, named_value, relation
from rlvr.grading.mathematics.structure import outer
from rlvr.grading.mathematics.syntax import parse

BASE_DIGITS = re.compile(r"[0-9A-F]+(?:\.[0-9A-F]+)?")


def percent(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """A value before a percent sign."""
    if tokens[-1].kind != "percent" or len(tokens) < 2 or any(token.kind == "percent" for token in tokens[:-1]):
        return None
    inner = read(tokens[:-1], products, depth)
    return Percent(inner) if isinstance(inner, Expression) else None


def based(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """Digits with their base as an index."""
    places = [place for place, token in outer(tokens) if token == Token("op", "_")]
    if len(places) != 1 or places[0] == 0:
        return None
    base = tuple(token.text for token in tokens[places[0] + 1 :] if token.text not in ("{", "}", "(", ")"))
    digits = "".join(token.text for token in tokens[: places[0]] if token.text not in ("(", ")", "{", "}"))
    named = {"two": "2", "three": "3", "five": "5", "eight": "8", "ten": "10", "sixteen": "16"}
    written = named.get("".join(base).casefold(), "".join(base))
    digits = digits.removeprefix("-") if (negative := digits.startswith("-")) else digits
    if not re.fullmatch(r"[2-9]|[1-3][0-9]", written) or not BASE_DIGITS.fullmatch(digits.upper()):
        return None
    if len(digits) == 1 and digits.isalpha():
        return None
    if not digits[0].isdigit() and not (
        int(written) > 10 and (digits.isupper() or (written == "16" and digits.isalnum()))
    ):
        return None
    return Based(("-" if negative else "") + digits.upper(), written)


def expression(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """A reading by the grammar of expressions."""
    return Expression(parse(tokens, products), tokens)


RULES: tuple[Callable[[Tokens, frozenset[str], int], Reading | None], ...] = (
    labelled, system, congruence, list_of, bracketed, plus_minus, named_value, relation, set_operations, percent, based,
    group, expression,
)  # fmt: skip
