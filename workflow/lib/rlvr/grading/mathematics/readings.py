r"""What an answer says: one reading of its tokens, a number, list, interval, equation, congruence, or plain text.

A text that no kind covers to its last token is ``Text`` and compared as text. Nothing is dropped here; what may be
dropped was dropped by ``tidying``.
"""

import re
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rlvr.grading.mathematics.latex import Token, Tokens, UnreadableError
from rlvr.grading.mathematics.regions import Piece, Region, from_relation
from rlvr.grading.mathematics.syntax import CLOSING, Tree, parse
from rlvr.grading.mathematics.tidying import tidy
from rlvr.grading.mathematics.words import DENYING, LABEL_WORDS

INFINITY: Tree = ("const", "inf")
MINUS_INFINITY: Tree = ("neg", INFINITY)
ORDERS = frozenset({"<", ">", "<=", ">="})
SYSTEMS = frozenset({"cases", "aligned", "align", "gathered", "gather", "array", "split", "dcases", "rcases", "eqnarray", "alignedat"})
STRUCTURES = re.compile(r"(?:bb|cal|frak) \w+|[A-Z]{2,}\w*|[SADCQVZUOKTMD]")
BASE_DIGITS = re.compile(r"[0-9A-F]+(?:\.[0-9A-F]+)?")
MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Text:
    """Tokens that can only be compared as text."""

    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Expression:
    """A number, term or matrix."""

    tree: Tree
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Percent:
    """A value with a percent sign."""

    value: "Reading"


@dataclass(frozen=True, slots=True)
class Based:
    """Digits in a base."""

    digits: str
    base: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """Entries in brackets, or in none.

    Attributes:
        brackets: Opening and closing bracket: ``()``, ``[]``, ``{}`` or nothing.
        items: Readings of the entries.
        joined: ``,`` or ``;``, ``and`` or ``or``.
    """

    brackets: str
    items: tuple["Reading", ...]
    joined: str = ","


@dataclass(frozen=True, slots=True)
class Equation:
    """A value with its label, or two sides.

    Attributes:
        label: Canonical name on the other side of the equals sign, ``""`` where no side is one.
        argument: The single argument of a label ``f(x)``.
        sides: What is equated, the label's side left out.
        tokens: All of it.
        worded: Whether the label is made of words.
    """

    label: str
    argument: str
    sides: tuple["Reading", ...]
    tokens: Tokens
    worded: bool = False

    @property
    def value(self) -> "Reading":
        """The last side."""
        return self.sides[-1]


@dataclass(frozen=True, slots=True)
class Relation:
    """An inequality in several names, or one that is not solved."""

    sides: tuple[Tree, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Congruence:
    """Residues and their modulus, with the name that has them (or none)."""

    name: str
    residues: tuple["Reading", ...]
    modulus: "Reading"


@dataclass(frozen=True, slots=True)
class Cases:
    """Values with their conditions."""

    rows: tuple[tuple["Reading", "Reading"], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Factors of a direct product, in canonical order."""

    factors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Parts with colons between them: a ratio or a time of day."""

    parts: tuple["Reading", ...]


@dataclass(frozen=True, slots=True)
class Progression:
    """Entries with an ellipsis among them."""

    brackets: str
    before: tuple["Reading", ...]
    after: tuple["Reading", ...]


Reading = Text | Expression | Percent | Based | Sequence | Equation | Relation | Congruence | Cases | Group | Ratio | Region | Progression


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
    for rule in RULES:
        try:
            found = rule(tokens, products, depth + 1)
        except UnreadableError:
            found = None
        if found is not None:
            return found
    return Text(tokens)


def split(tokens: Tokens, *kinds: str) -> tuple[list[Tokens], list[Token]]:
    """Parts of tokens between those of some kinds outside all brackets and environments, and what separates them."""
    parts, signs, start = [], [], 0
    for place, token in outer(tokens):
        if token.kind in kinds:
            parts.append(tokens[start:place])
            signs.append(token)
            start = place + 1
    return [*parts, tokens[start:]], signs


def outer(tokens: Tokens) -> list[tuple[int, Token]]:
    """Tokens outside all brackets and environments, with their places."""
    found, depth, bars = [], 0, 0
    for place, token in enumerate(tokens):
        if token.kind in ("open", "begin"):
            depth += 1
        elif token.kind in ("close", "end"):
            depth -= 1
        elif depth == 0:
            found.append((place, token))
        if depth == 0 and token.kind == "bar":
            bars += 1
    return found


def wrapped(tokens: Tokens) -> tuple[str, Tokens, str]:
    """Brackets around the whole and what they hold; nothing and the tokens where there are none."""
    first, last = tokens[0], tokens[-1]
    french = first in (Token("close", "]"), Token("open", "["), Token("open", "(")) and last in (Token("open", "["), Token("close", "]"), Token("close", ")"))
    if len(tokens) > 2 and french and (first.kind == "close" or last.kind == "open") and not any(
        token.text in ("[", "]") for token in tokens[1:-1]
    ):
        return {"]": "(", "[": "[", "(": "("}[first.text], tokens[1:-1], {"[": ")", "]": "]", ")": ")"}[last.text]
    if len(tokens) < 2 or first.kind != "open" or last.kind != "close" or first.text not in CLOSING:
        return "", tokens, ""
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token.kind == "open") - (token.kind == "close")
        if depth == 0:
            return (first.text, tokens[1:-1], last.text) if place == len(tokens) - 1 else ("", tokens, "")
    return "", tokens, ""


def _system(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """Rows of an environment, or rows alone."""
    if tokens[0] == Token("open", "\\{") and tokens[1:2] and tokens[1].kind == "begin" and tokens[-1].kind == "end":
        return _rows(tokens[2:-1], products, depth)
    if tokens[0].kind == "begin" and tokens[-1].kind == "end" and tokens[0].text in SYSTEMS - {"array"}:
        return _rows(tokens[1:-1], products, depth)
    if any(token.kind == "row" for _, token in outer(tokens)):
        parts = [part for part in split(tokens, "row")[0] if part]
        return Sequence("", tuple(read(part, products, depth) for part in parts))
    return None


def _rows(tokens: Tokens, products: frozenset[str], depth: int) -> Reading:
    rows = [split(row, "amp")[0] for row in split(tokens, "row")[0] if row]
    rows = [[cell for cell in row if cell] for row in rows]
    if all(len(row) == 2 for row in rows) and not any(_begins_with_relation(row[1]) for row in rows):
        return Cases(tuple((read(row[0], products, depth), read(condition(row[1]), products, depth)) for row in rows))
    joined = [tuple(token for cell in row for token in cell) for row in rows]
    if joined and all(_conditional(row) for row in joined):
        return Cases(tuple((read(one, products, depth), read(condition(other), products, depth)) for one, other in map(_at_condition, joined)))
    items = tuple(read(row, products, depth) for row in joined)
    return items[0] if len(items) == 1 else Sequence("", items)


def _begins_with_relation(tokens: Tokens) -> bool:
    return tokens[0].kind == "relation"


def _conditional(tokens: Tokens) -> bool:
    return any(token.kind == "word" and token.text.casefold() in ("if", "when", "for", "otherwise", "where") for token in tokens[1:])


def _at_condition(tokens: Tokens) -> tuple[Tokens, Tokens]:
    place = next(at for at, token in enumerate(tokens) if at and token.kind == "word" and token.text.casefold() in ("if", "when", "for", "otherwise", "where"))
    return tokens[:place], tokens[place:]


def condition(tokens: Tokens) -> Tokens:
    """A condition without the words that only introduce it."""
    while tokens and (tokens[0].kind == "sep" or tokens[0].text.casefold() in ("if", "for", "when", "where")):
        tokens = tokens[1:]
    return tokens


def _labelled(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """``f(x) = ...`` before an environment: the only equation that may hold separators outside brackets."""
    parts, signs = split(tokens, "relation")
    if len(parts) == 2 and signs[0].text == "=" and parts[1] and parts[1][0].kind in ("begin", "open") and parts[1][-1].kind == "end":
        found = label_of(parts[0])
        if found:
            return Equation(found[0], found[1], (read(parts[1], products, depth),), tokens)
    return None


def _congruence(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """Anything that ends with a modulus."""
    flat = _without_brackets_around_modulus(tokens)
    places = [place for place, token in outer(flat) if token.kind == "mod"]
    if len(places) != 1 or places[0] in (0, len(flat) - 1):
        return None
    before, modulus = flat[: places[0]], flat[places[0] + 1 :]
    parts, signs = split(before, "relation")
    if len(parts) > 2 or (signs and signs[0].text not in ("==", "=")):
        return None
    name = ""
    if signs:
        found = label_of(parts[0])
        name = found[0] if found else " ".join(token.text for token in parts[0])
    elif any(token.kind in ("name", "index") for token in before):
        return None
    residues = tuple(read(part, products, depth) for part in split(parts[-1], "sep", "and", "or")[0] if part)
    return Congruence(name, residues, read(modulus, products, depth))


def _without_brackets_around_modulus(tokens: Tokens) -> Tokens:
    for place, token in enumerate(tokens[:-1]):
        if token.text == "(" and tokens[place + 1].kind == "mod" and tokens[-1].text == ")":
            return (*tokens[:place], *tokens[place + 1 : -1])
    return tokens


def _list(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """Entries without brackets around them."""
    parts, signs = split(tokens, "sep", "and", "or")
    if not signs:
        return None
    parts = [part for part in parts if part]
    words = {sign.kind for sign in signs}
    joined = "or" if "or" in words else "and" if "and" in words else ","
    if joined != "," and any(sign.text == "," for sign in signs) and joined == "and" and _is_chain_of_relations(parts):
        joined = ","
    if any(token.kind == "dots" for part in parts for _, token in outer(part)):
        return _progression("", parts, products, depth)
    items = tuple(read(part, products, depth) for part in _with_shared_parts(parts))
    logical = any(sign.text in ("\\lor", "\\land") for sign in signs)
    if joined != "," and all(isinstance(item, Expression) and item.tree[0] == "name" and (logical or item.tree[1].isupper()) for item in items):
        return None
    if len(items) == 1:
        return items[0]
    return join_regions(items, joined) or Sequence("", flattened(items), joined)


def _is_chain_of_relations(parts: Items[Tokens]) -> bool:
    return False if not parts else all(any(token.kind == "relation" for token in part) for part in parts)


def _with_shared_parts(parts: list[Tokens]) -> list[Tokens]:
    """Entries as they are: ``x = 3, 5`` keeps its label at the first."""
    return parts


def flattened(items: tuple[Reading, ...]) -> tuple[Reading, ...]:
    r"""Entries with those of a bare list among them (``\pm 1, 3``) set out, and ``(x, y) = (1, 2)`` kept as one."""
    found: list[Reading] = []
    for item in items:
        if isinstance(item, Sequence) and not item.brackets and item.joined == "+-":
            found.extend(item.items)
        else:
            found.append(item)
    return tuple(found)


def join_regions(items: tuple[Reading, ...], joined: str) -> Region | None:
    """One region of the inequalities that a word joins."""
    regions = [item for item in items if isinstance(item, Region)]
    if len(regions) != len(items) or joined == "," and not all(region.excluding for region in regions):
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


def _progression(brackets: str, parts: list[Tokens], products: frozenset[str], depth: int) -> Reading | None:
    places = [place for place, part in enumerate(parts) if any(token.kind == "dots" for token in part)]
    if len(places) != 1 or parts[places[0]] != (Token("dots", "..."),):
        return None
    (place,) = places
    before, after = ([read(part, products, depth) for part in some] for some in (parts[:place], parts[place + 1 :]))
    return Progression(brackets, tuple(before), tuple(after))


def _plus_minus(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    r"""``\pm`` is two entries."""
    places = [place for place, token in enumerate(tokens) if token.kind == "pm"]
    if not places or len(places) > 3 or any(token.kind in ("sep", "relation", "word") for _, token in outer(tokens)):
        return _plus_minus_of_value(tokens, products, depth) if places else None
    together = any(tokens[place].text == "-+" for place in places)
    items = []
    for choice in range(2 if together else 2 ** len(places)):
        signed = list(tokens)
        for bit, place in enumerate(places):
            upper = choice == 0 if together else not choice >> bit & 1
            signed[place] = Token("op", "+" if upper == (tokens[place].text == "+-") else "-")
        items.append(read(tuple(signed), products, depth))
    return Sequence("", tuple(items), "+-")


def _plus_minus_of_value(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    r"""``x = \pm 3`` is two equations, ``x \neq \pm 3`` leaves out two points."""
    parts, signs = split(tokens, "relation")
    if len(parts) == 2 and signs[0].text == "!=" and parts[1] and parts[1][0].kind == "pm":
        items = [read((*parts[0], signs[0], Token("op", sign), *parts[1][1:]), products, depth) for sign in "+-"]
        return join_regions(tuple(items), ",")
    if len(parts) != 2 or signs[0].text != "=" or any(token.kind in ("pm", "word") for token in parts[0]):
        return None
    values = _plus_minus(parts[1], products, depth)
    found = label_of(parts[0])
    if found is None or not isinstance(values, Sequence):
        return None
    return Sequence("", tuple(Equation(found[0], found[1], (value,), tokens) for value in values.items), "+-")


def _relation(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    parts, signs = split(tokens, "relation")
    if not signs:
        return None
    texts = {sign.text for sign in signs}
    if texts == {"="}:
        return _equation(parts, tokens, products, depth)
    if texts == {"in"} and len(parts) == 2:
        found = label_of(parts[0])
        inner = read(parts[1], products, depth)
        if found and isinstance(inner, Sequence) and inner.brackets == "{}":
            return inner
        region = as_region(inner, certain=True)
        if found and region is not None:
            return region.named(found[0])
        return None
    if texts <= ORDERS | {"!="} and all(parts):
        sides = tuple(parse(part, products) for part in parts)
        signs_of = tuple(sign.text for sign in signs)
        return from_relation(sides, signs_of) or Relation(sides, signs_of)
    return None


def _equation(parts: list[Tokens], tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    if not all(parts):
        return None
    if len(parts) == 2 and (pairs := _tuples(parts, products, depth)):
        return pairs
    sides = [read(part, products, depth) for part in parts]
    if any(isinstance(side, Text) and not label_of(part, parts[-1]) for side, part in zip(sides, parts, strict=True)):
        return None
    found = label_of(parts[0], tokens_of_value=parts[-1])
    if found:
        rest = [side for side, part in zip(sides[1:], parts[1:], strict=True) if part is parts[-1] or not label_of(part)]
        return Equation(found[0], found[1], tuple(rest), tokens, found[2])
    found = label_of(parts[-1])
    if found and len(parts) == 2 and not label_of(parts[0]):
        return Equation(found[0], found[1], (sides[0],), tokens, found[2])
    return Equation("", "", tuple(sides), tokens)


def _tuples(parts: list[Tokens], products: frozenset[str], depth: int) -> Reading | None:
    """``(x, y) = (1, 2)`` is two equations, in this order."""
    (opening, names, _), (other_opening, values, _) = wrapped(parts[0]), wrapped(parts[1])
    if opening != "(" or other_opening not in ("(", "<"):
        return None
    left, right = split(names, "sep")[0], split(values, "sep")[0]
    labels = [label_of(part) for part in left if part]
    if len(left) < 2 or len(left) != len(right) or not all(labels):
        return None
    items = tuple(
        Equation(label[0], label[1], (read(value, products, depth),), (*name, *value))
        for label, name, value in zip(labels, left, right, strict=True) if label
    )
    return Sequence("()", items)


def label_of(tokens: Tokens, tokens_of_value: Tokens = ()) -> tuple[str, str, bool] | None:
    r"""Name and argument of a label: one name, ``f(x)``, ``AB`` before a number, or words like ``Area``."""
    while len(tokens) > 2 and wrapped(tokens)[0] == "{":
        tokens = tokens[1:-1]
    if not tokens:
        return None
    if tokens_of_value and _is_segment(tokens) and (len(tokens) > 1 or tokens[0].kind == "word") and _is_numeric(tokens_of_value):
        return " ".join(token.text for token in tokens), "", False
    if all(token.kind in ("word", "name") or token.text in ("'",) for token in tokens) and any(token.kind == "word" for token in tokens):
        words = [token.text.casefold() for token in tokens]
        known = any(word in LABEL_WORDS for word in words) and not any(word in DENYING for word in words)
        known = known and len(words) <= 5
        return (" ".join(words), "", True) if known else None
    try:
        tree = parse(tokens)
    except UnreadableError:
        return None
    if tree[0] == "name" and not tree[1].startswith("bb "):
        return tree[1], "", False
    if tree[0] == "call" and str(tree[1]).startswith("conjugate") and tree[2][0][0] == "name":
        return f"{tree[2][0][1]} {tree[1]}", "", False
    if tree[0] == "index":
        return f"{tree[1]}_{' '.join(tree[2])}", "", False
    if tree[0] == "call" and isinstance(tree[1], tuple) and len(tree[2]) >= 1:
        arguments = " ".join(token.text for token in tokens[1:])
        single = tree[2][0][1] if len(tree[2]) == 1 and tree[2][0][0] == "name" else ""
        name = tree[1][1] + ("_" + " ".join(tree[1][2]) if tree[1][0] == "index" else "")
        return (name if single else f"{name} {arguments}"), single, False
    return None


def _is_segment(tokens: Tokens) -> bool:
    r"""Whether tokens are names of geometry: ``AB``, ``\angle ABC``, ``[ABC]``."""
    bare = [token for token in tokens if token.text not in ("\\angle", "\\triangle", "[", "]")]
    return 1 <= len(bare) <= 5 and all((token.kind == "name" and token.text.isupper() and token.text != "I") or (token.kind == "word" and token.text.isupper()) for token in bare)


def _is_numeric(tokens: Tokens) -> bool:
    return not any(token.kind in ("name", "word") for token in tokens)


def _named_value(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """``Minimum: 1``, or parts of a ratio or time."""
    parts, signs = split(tokens, "colon")
    if not signs or not all(parts):
        return None
    if all(token.kind == "word" or token.kind == "name" for token in parts[0]) and any(token.kind == "word" for token in parts[0]) and len(parts) == 2:
        words = [token.text.casefold() for token in parts[0]]
        if not any(word in DENYING for word in words):
            return Equation(" ".join(words), "", (read(parts[1], products, depth),), tokens, True)
        return None
    if parts[0][0].kind == "word" and parts[0][-1].kind == "number" and len(parts) == 2:  # Sequence 1: ...
        return Equation(" ".join(token.text.casefold() for token in parts[0]), "", (read(parts[1], products, depth),), tokens, True)
    values = tuple(read(part, products, depth) for part in parts)
    return Ratio(values) if all(isinstance(value, Expression) for value in values) else None


def as_region(reading: Reading, certain: bool = False) -> Region | None:
    """A set of real numbers; a pair in round brackets only where it must be one."""
    if isinstance(reading, Region):
        return reading
    if isinstance(reading, Sequence) and len(reading.items) == 2 and (reading.brackets == "[]" or (certain and reading.brackets == "()")):
        low, high = reading.items
        if isinstance(low, Expression) and isinstance(high, Expression):
            closed = reading.brackets == "[]"
            return Region((Piece(low.tree, closed, high.tree, closed),), "")
    if isinstance(reading, Sequence) and reading.brackets == "{}" and certain and all(isinstance(item, Expression) for item in reading.items):
        return Region(tuple(Piece(item.tree, True, item.tree, True) for item in reading.items if isinstance(item, Expression)), "")
    if isinstance(reading, Group) and len(reading.factors) == 1 and reading.factors[0] in HALF_LINES:
        return HALF_LINES[reading.factors[0]]
    if isinstance(reading, Sequence) and not reading.brackets and certain and reading.items:
        parts = [as_region(item, certain=True) if not isinstance(item, Expression) else None for item in reading.items]
        if all(part is not None for part in parts):
            return Region(tuple(piece for part in parts if part for piece in part.pieces), "")
    return None


ZERO: Tree = ("num", 0, "")


def whole_line() -> Region:
    """All real numbers."""
    return Region((Piece(("neg", INFINITY), False, INFINITY, False),), "")


HALF_LINES = {
    "bb R": whole_line(),
    **{sign: Region((Piece(ZERO, False, INFINITY, False),), "") for sign in ("bb R ^ +", "bb R _ > 0", "bb R ^ + _")},
    **{sign: Region((Piece(ZERO, True, INFINITY, False),), "") for sign in ("bb R _ >= 0", "bb R ^ >= 0")},
    **{sign: Region((Piece(MINUS_INFINITY, False, ZERO, False),), "") for sign in ("bb R ^ -", "bb R _ < 0")},
}


def _set_operations(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
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


def _set_of(tokens: Tokens, products: frozenset[str], depth: int) -> Region | None:
    """The region that a part of a set operation is; braces hold points."""
    opening, inner, _ = wrapped(tokens)
    item = read(inner, products, depth) if opening == "\\{" and inner else None
    if isinstance(item, Expression):
        return Region((Piece(item.tree, True, item.tree, True),), "")
    return as_region(read(tokens, products, depth), certain=True)


def _bracketed(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """Entries in brackets: a point, an interval, a set."""
    transposed = False
    if len(tokens) > 4 and tokens[-2:] == (Token("op", "^"), Token("name", "T")):
        tokens, transposed = tokens[:-2], True
    elif len(tokens) > 4 and (tokens[-2:] == (Token("op", "^"), Token("top", "T")) or tuple(token.text for token in tokens[-4:]) == ("^", "{", "T", "}")):
        tokens, transposed = tokens[: -2 if tokens[-1].kind == "top" else -4], True
    opening, inner, closing = wrapped(tokens)
    if not opening:
        return None
    if not inner:
        return Text((Token("emptyset", "emptyset"),)) if opening == "\\{" else None
    if opening == "{":
        return read(inner, products, depth)
    if opening in ("floor", "ceil"):
        return None
    if opening == "\\{" and (described := _described(inner, products, depth)) is not None:
        return described
    parts, signs = split(inner, "sep")
    brackets = {"\\{": "{", "<": "(", "(": "(", "[": "["}[opening] + {"\\}": "}", ">": ")", ")": ")", "]": "]"}.get(closing, "?")
    french = tokens[0].kind == "close" or tokens[-1].kind == "open"
    if not signs:
        if transposed or brackets not in ("{}", "[]", "()"):
            return None
        item = read(inner, products, depth)
        if isinstance(item, Sequence) and item.joined == "+-":
            return Sequence(brackets, item.items, "+-")
        if brackets == "{}" and isinstance(item, (Text, Relation, Region, Equation)):
            return None
        if isinstance(item, (Text, Relation, Region, Sequence)) and brackets != "()":
            return None
        return Sequence(brackets, (item,)) if brackets == "{}" and item == Text((Token("emptyset", "emptyset"),)) else item
    if any(not part for part in parts[:-1]):
        return None
    parts = [part for part in parts if part]
    if any(token.kind == "dots" for part in parts for _, token in outer(part)):
        return _progression(brackets, parts, products, depth)
    items = tuple(read(part, products, depth) for part in parts)
    if brackets in ("[)", "(]") or french or (len(items) == 2 and brackets in ("()", "[]") and any(_infinite(item) for item in items)):
        if len(items) != 2 or not all(isinstance(item, Expression) for item in items):
            return None
        low, high = items
        return Region((Piece(low.tree, brackets[0] == "[", high.tree, brackets[1] == "]"),), "", french=french)  # type: ignore[union-attr]
    if "?" in brackets:
        return None
    if transposed:
        brackets = "()"
    return Sequence(brackets, flattened(items) if brackets == "{}" else items)


def _described(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    r"""What ``x \mid x > 2`` in braces describes, if it is a region."""
    for place, token in outer(tokens):
        if place and (token.kind in ("colon", "bar") or token == Token("relation", "mid")):
            whose = split(tokens[:place], "relation")[0]
            if len(whose) > 2 or (len(whose) == 2 and whose[1] != (Token("name", "bb R"),)):
                return None
            found, region = label_of(whose[0]), read(tokens[place + 1 :], products, depth)
            return region if found and isinstance(region, Region) and region.name == found[0] else None
    return None


def _infinite(item: Reading) -> bool:
    return isinstance(item, Expression) and item.tree in (INFINITY, ("neg", INFINITY))


def _percent(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    if tokens[-1].kind != "percent" or len(tokens) < 2 or any(token.kind == "percent" for token in tokens[:-1]):
        return None
    inner = read(tokens[:-1], products, depth)
    return Percent(inner) if isinstance(inner, Expression) else None


def _based(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
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
    if not digits[0].isdigit() and not (int(written) > 10 and (digits.isupper() or (written == "16" and digits.isalnum()))):
        return None
    return Based(("-" if negative else "") + digits.upper(), written)


def _group(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
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
    if not all(parts) or not any(token.text.startswith(("bb", "frak")) or token.kind == "word" for token in tokens if token.kind in ("name", "word")) and not all("_" in [token.text for token in part] for part in parts):
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


def _expression(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    return Expression(parse(tokens, products), tokens)


RULES: tuple[Any, ...] = (
    _labelled, _system, _congruence, _list, _bracketed, _plus_minus, _named_value, _relation, _set_operations, _percent, _based,
    _group, _expression,
)  # fmt: skip
