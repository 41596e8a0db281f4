"""Sets as answers: regions of real numbers, what joins them, and direct products of structures."""

import re

from rlvr.grading.mathematics.cursor import Tree
from rlvr.grading.mathematics.kinds import Expression, Group, Reading, Sequence
from rlvr.grading.mathematics.latex import Token, Tokens
from rlvr.grading.mathematics.reader import read
from rlvr.grading.mathematics.regions import INFINITY, MINUS_INFINITY, Piece, Region
from rlvr.grading.mathematics.structure import label_of, outer, split, wrapped

STRUCTURES = re.compile(r"(?:bb|cal|frak) \w+|[A-Z]{2,}\w*|[SADCQVZUOKTMD]")
ZERO: Tree = ("num", 0, "")


def as_region(reading: Reading, certain: bool = False) -> Region | None:
    """A set of real numbers; a pair in round brackets only where it must be one."""
    if isinstance(reading, Region):
        return reading
    if (
        isinstance(reading, Sequence)
        and len(reading.items) == 2
        and (reading.brackets == "[]" or (certain and reading.brackets == "()"))
    ):
        low, high = reading.items
        if isinstance(low, Expression) and isinstance(high, Expression):
            closed = reading.brackets == "[]"
            return Region((Piece(low.tree, closed, high.tree, closed),), "")
    if (
        isinstance(reading, Sequence)
        and reading.brackets == "{}"
        and certain
        and all(isinstance(item, Expression) for item in reading.items)
    ):
        return Region(
            tuple(Piece(item.tree, True, item.tree, True) for item in reading.items if isinstance(item, Expression)), ""
        )
    if isinstance(reading, Group) and len(reading.factors) == 1 and reading.factors[0] in HALF_LINES:
        return HALF_LINES[reading.factors[0]]
    if isinstance(reading, Sequence) and not reading.brackets and certain and reading.items:
        parts = [as_region(item, certain=True) if not isinstance(item, Expression) else None for item in reading.items]
        if all(part is not None for part in parts):
            return Region(tuple(piece for part in parts if part for piece in part.pieces), "")
    return None


def whole_line() -> Region:
    """All real numbers."""
    return Region((Piece(("neg", INFINITY), False, INFINITY, False),), "")


HALF_LINES = {
    "bb R": whole_line(),
    **{sign: Region((Piece(ZERO, False, INFINITY, False),), "") for sign in ("bb R ^ +", "bb R _ > 0", "bb R ^ + _")},
    **{sign: Region((Piece(ZERO, True, INFINITY, False),), "") for sign in ("bb R _ >= 0", "bb R ^ >= 0")},
    **{sign: Region((Piece(MINUS_INFINITY, False, ZERO, False),), "") for sign in ("bb R ^ -", "bb R _ < 0")},
}


def join_regions(items: tuple[Reading, ...], joined: str) -> Region | None:
    """One region of the inequalities that a word joins."""
    regions = [item for item in items if isinstance(item, Region)]
    if len(regions) != len(items) or (joined == "," and not all(region.excluding for region in regions)):
        return None
    names = {region.name for region in regions}
    if len(names) != 1 or not all(region.name for region in regions):
        return None
    result = regions[0]
    for region in regions[1:]:
        joint = result.union(region) if joined == "or" else result.intersection(region)
        if joint is None:
            return None
        result = joint
    return result


def _set_of(tokens: Tokens, products: frozenset[str], depth: int) -> Region | None:
    """The region that a part of a set operation is; braces hold points."""
    opening, inner, _ = wrapped(tokens)
    item = read(inner, products, depth) if opening == "\\{" and inner else None
    if isinstance(item, Expression):
        return Region((Piece(item.tree, True, item.tree, True),), "")
    return as_region(read(tokens, products, depth), certain=True)


def set_operations(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """Unions, intersections and differences of regions."""
    parts, signs = split(tokens, "setop")
    if not signs or not all(parts):
        return None
    regions = [_set_of(part, products, depth) for part in parts]
    result = regions[0]
    for sign, region in zip(signs, regions[1:], strict=True):
        if result is None or region is None:
            return None
        if sign.text == "cup":
            result = result.union(region)
        else:
            result = result.intersection(region) if sign.text == "cap" else result.without(region)
    return result


def described(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    r"""The region that ``x \mid x > 2`` in braces describes, if it is one."""
    for place, token in outer(tokens):
        if place and (token.kind in ("colon", "bar") or token == Token("relation", "mid")):
            whose = split(tokens[:place], "relation")[0]
            if len(whose) > 2 or (len(whose) == 2 and whose[1] != (Token("name", "bb R"),)):
                return None
            found, region = label_of(whose[0]), read(tokens[place + 1 :], products, depth)
            return region if found and isinstance(region, Region) and region.name == found[0] else None
    return None


def group(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """A direct product of groups, rings or spaces."""
    half = " ".join(token.text for token in tokens if token.text not in ("{", "}"))
    if half in HALF_LINES:
        return Group((half,))
    parts: list[Tokens] = []
    start = 0
    for place, token in outer(tokens):
        if token.kind == "times" or token == Token("infix", "oplus"):
            parts.append(tokens[start:place])
            start = place + 1
    parts.append(tokens[start:])
    named = any(
        token.text.startswith(("bb", "frak")) or token.kind == "word"
        for token in tokens
        if token.kind in ("name", "word")
    )
    if not all(parts) or not (named or all("_" in [token.text for token in part] for part in parts)):
        return None
    if len(parts) == 1 and not tokens[0].text.startswith("bb ") and tokens[0].text != "(":
        return None
    factors = [factor for part in parts for factor in _structure(part)]
    return Group(tuple(sorted(factors))) if factors and all(factors) else None


def _structure(tokens: Tokens) -> list[str]:
    r"""Canonical factors of one structure: ``\mathbb{Z}/2\mathbb{Z}`` is ``\mathbb{Z}_2``, ``\mathbb{Z}^2`` is two."""
    opening, inner, _ = wrapped(tokens)
    if opening == "(":
        tokens = inner
    texts = [token.text for token in tokens if token.text not in ("{", "}")]
    if texts and texts[-1].isdigit() and len(texts) > 2 and texts[-2] == "^" and int(texts[-1]) <= 12:
        base = tuple(tokens[: max(place for place, token in enumerate(tokens) if token.text == "^")])
        return _structure(base) * int(texts[-1])
    if not texts or not STRUCTURES.fullmatch(texts[0]) or any(token.kind in ("relation", "other") for token in tokens):
        return [""]
    joined = " ".join(texts)
    quotient = re.fullmatch(r"bb Z / \(? ?(\w+) ?\)?(?: ?\*? bb Z)?", joined)
    return [f"bb Z _ {quotient[1]}" if quotient else joined]
