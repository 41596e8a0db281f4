"""Parts of an answer that are left out before it is read: announcements, units, "for all x", marks at its end.

Everything left out is on a list (``words``). Units are remembered, so that 3 minutes are not 3 hours.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from rlvr.grading.mathematics.latex import Token, Tokens
from rlvr.grading.mathematics.words import (
    ADJECTIVES,
    ANNOUNCING,
    COUNT_NOUNS,
    QUANTIFIED,
    SCALES,
    TEXT_UNITS,
    UNIT_WORDS,
    UNITS,
)

VALUE_ENDS = frozenset({"number", "name", "constant", "close", "percent", "degree", "repeating", "bar", "currency"})
BEFORE_NUMBERS = frozenset({"usd", "rs", "us", "eur", "inr", "gbp", "aud", "cad"})
DIMENSIONS = frozenset({"square", "cubic", "sq", "cu"})
QUANTIFIERS = (("for", "all"), ("for", "any"), ("for", "every"), ("for", "each"), ("where",), ("with",), ("for",))
SETS = frozenset({"bb Z", "bb R", "bb N", "bb Q", "bb C", "Z"})
OF_THE_CLAUSE = QUANTIFIED | {
    "is",
    "some",
    "an",
    "a",
    "in",
    "where",
    "for",
    "be",
    "arbitrary",
    "the",
    "of",
    "and",
    "constant",
    "constants",
    "are",
    "non-negative",
}


@dataclass(frozen=True, slots=True)
class Tidied:
    """Tokens that say what the answer is, and the units that stood beside them."""

    tokens: Tokens
    units: frozenset[str]


def tidy(tokens: Tokens) -> Tidied:
    """The tokens without what only announces or dresses them."""
    tokens = _strip_ends(tokens)
    tokens = _without_announcement(tokens)
    tokens = _without_quantifiers(tokens)
    tokens = _scaled(tokens)
    tokens, units = _without_units(_without_abbreviation_dots(tokens))
    return Tidied(_strip_ends(tokens), frozenset(units))


def _strip_ends(tokens: Tokens) -> Tokens:
    """Tokens without separators, dots and row ends at the end, and quotation marks around the whole."""
    start, end = 0, len(tokens)
    while end > start and (tokens[end - 1].kind in ("row", "sep") or tokens[end - 1] == Token("other", ".")):
        end -= 1
    if end - start > 2 and tokens[start].kind == tokens[end - 1].kind == "quote":
        start, end = start + 1, end - 1
    return tokens[start:end]


def _without_announcement(tokens: Tokens) -> Tokens:
    """Tokens behind ``the answer is`` and the like."""
    end = 0
    while end < len(tokens) and (tokens[end].kind in ("word", "colon", "sep") or tokens[end] == Token("relation", "=")):
        end += 1
    for stop in range(end, 0, -1):
        phrase = " ".join(token.text for token in tokens[:stop] if token.kind != "sep")
        if stop < len(tokens) and ANNOUNCING.fullmatch(phrase):
            return tokens[stop:]
    return tokens


def _without_quantifiers(tokens: Tokens) -> Tokens:
    r"""Tokens without a last ``for all x``, ``n \in \mathbb{Z}`` or ``where C is a constant``.

    A condition (``for n \geq 2``) is no such clause and stays.
    """
    for place in range(1, len(tokens)):
        if tokens[place].kind not in ("sep", "word", "quantifier", "open") or not _is_clause(tokens[place:]):
            continue
        if place == len(tokens) - 1 or any(
            token.kind in ("number", "op")
            for token in tokens[place:]
            if token.text not in ("_", "^", "0", "+", "-", ">")
        ):
            continue
        return tokens[:place]
    return tokens


def _is_clause(tokens: Tokens) -> bool:
    """Whether tokens quantify over a set and say nothing more."""
    tokens = tuple(
        token for token in tokens if token.kind not in ("sep", "and") and token.text not in ("(", ")", "{", "}")
    )
    words = [token.text.casefold() for token in tokens if token.kind == "word"]
    quantified = any(token.kind == "quantifier" for token in tokens) or any(
        tuple(words[: len(one)]) == one for one in QUANTIFIERS
    )
    member = any(token == Token("relation", "in") for token in tokens)
    if not (quantified or member) or not tokens:
        return False
    if not quantified and not (len(tokens) >= 3 and tokens[0].kind == "name" and tokens[1].text == "in"):
        return False
    if tokens[0].kind == "name" and tokens[0].text not in "jklmnCabcxyt":
        return False
    if not all(word in OF_THE_CLAUSE for word in words):
        return False
    others = [token for token in tokens if token.kind != "word"]
    return (
        all(
            token.kind in ("name", "quantifier") or token.text in ("in", "_", "^", "+", ">", "0", "-", "*", ">=")
            for token in others
        )
        and (not member or any(token.text in SETS for token in others))
        and not (
            any(token.kind == "relation" and token.text != "in" for token in others)
            and not any(token.text in SETS for token in others)
        )
    )


def _scaled(tokens: Tokens) -> Tokens:
    """``5 million`` as one number."""
    for place in range(1, len(tokens)):
        word = tokens[place].text.casefold()
        power = SCALES.get(word) if tokens[place].kind == "word" else None
        if power and tokens[place - 1].kind == "number":
            value = Fraction(tokens[place - 1].text) * 10**power
            written = str(value.numerator) if value.denominator == 1 else None
            if written:
                return _scaled((*tokens[: place - 1], Token("number", written), *tokens[place + 1 :]))
    return tokens


def _without_abbreviation_dots(tokens: Tokens) -> Tokens:
    return tuple(
        token
        for place, token in enumerate(tokens)
        if not (token == Token("other", ".") and place and tokens[place - 1].kind == "word")
    )


def is_unit(token: Token) -> bool:
    """Whether a token is a unit's word."""
    return token.kind == "word" and (
        token.text in TEXT_UNITS or token.text in UNITS or token.text.lower() in UNIT_WORDS
    )


def unit_of(token: Token) -> str | None:
    """The canonical unit of a word."""
    return UNITS.get(token.text) or UNITS.get(token.text.lower()) or (token.text if token.text in TEXT_UNITS else None)


def _without_units(tokens: Tokens) -> tuple[Tokens, set[str]]:
    """Tokens without currency signs, units and nouns of count that stand right behind a value."""
    kept: list[Token] = []
    units: set[str] = set()
    place = 0
    while place < len(tokens):
        token = tokens[place]
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if token.kind == "currency" and (
            _ends_value(kept) or (following is not None and following.kind in ("number", "frac", "op"))
        ):
            place += 1
            continue
        before_number = token.kind == "word" and token.text.casefold() in BEFORE_NUMBERS
        if before_number and following is not None and following.kind in ("number", "currency"):
            place += 1
            continue
        if _ends_value(kept) and (end := _unit_end(tokens, place, units)) > place:
            place = end
            continue
        kept.append(token)
        place += 1
    return tuple(kept), units


def _ends_value(kept: list[Token]) -> bool:
    return bool(kept) and kept[-1].kind in VALUE_ENDS


def _unit_end(tokens: Tokens, place: int, units: set[str]) -> int:
    """Where a phrase of units, nouns and adjectives ends that begins at a place; the place itself if there is none."""
    start, seen = place, False
    found: set[str] = set()
    while place < len(tokens):
        token = tokens[place]
        word = token.text.casefold()
        if is_unit(token):
            found.add(unit_of(token) or word)
            place, seen = _power_end(tokens, place + 1), True
        elif token.kind == "word" and (word in COUNT_NOUNS or (word == "old" and seen)):
            place, seen = _power_end(tokens, place + 1), True
        elif token.kind == "word" and word == "times" and place == len(tokens) - 1:
            place, seen = place + 1, True
        elif (
            token.kind == "word"
            and (word in ADJECTIVES or word in DIMENSIONS or (word == "of" and seen) or word == "per")
            and place + 1 < len(tokens)
        ):
            place += 1
            seen = seen and word not in ("per", "of")
        elif (
            seen
            and token.text in ("/", "*")
            and token.kind == "op"
            and place + 1 < len(tokens)
            and is_unit(tokens[place + 1])
        ):
            place += 1
        else:
            break
    if (
        tokens[start].kind == "name"
        and tokens[start].text in ("C", "F")
        and start
        and tokens[start - 1].kind in ("degree", "close")
        and start == len(tokens) - 1
        and any(one.kind == "degree" for one in tokens)
    ):
        units.add(tokens[start].text)
        return start + 1
    if tokens[start] == Token("prime", "'") and start == len(tokens) - 1 and start == 1 and tokens[0].kind == "number":
        return start + 1
    if not seen:
        return start
    units |= found
    return place


def _power_end(tokens: Tokens, place: int) -> int:
    """Where the exponent of a unit ends."""
    if tokens[place : place + 1] != (Token("op", "^"),):
        return place
    if tokens[place + 1 : place + 2] == (Token("open", "{"),):
        end = place + 2
        while end < len(tokens) and tokens[end] != Token("close", "}"):
            end += 1
        inner = tokens[place + 2 : end]
        return end + 1 if end < len(tokens) and all(re.fullmatch(r"-|[123]", token.text) for token in inner) else place
    return place + 2 if tokens[place + 1 : place + 2] and tokens[place + 1].text in ("2", "3") else place
