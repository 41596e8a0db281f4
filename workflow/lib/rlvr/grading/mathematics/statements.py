"""Answers that relate something: equations and their labels, inequalities, congruences, ratios."""

from rlvr.grading.mathematics.kinds import Congruence, Equation, Expression, Ratio, Reading, Relation, Sequence, Text
from rlvr.grading.mathematics.latex import Tokens
from rlvr.grading.mathematics.reader import read
from rlvr.grading.mathematics.regions import from_relation
from rlvr.grading.mathematics.sets import as_region
from rlvr.grading.mathematics.structure import label_of, outer, split, wrapped
from rlvr.grading.mathematics.syntax import parse
from rlvr.grading.mathematics.words import DENYING

ORDERS = frozenset({"<", ">", "<=", ">="})


def labelled(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """``f(x) = ...`` before an environment: the only equation that may hold separators outside brackets."""
    parts, signs = split(tokens, "relation")
    if (
        len(parts) == 2
        and signs[0].text == "="
        and parts[1]
        and parts[1][0].kind in ("begin", "open")
        and parts[1][-1].kind == "end"
    ):
        found = label_of(parts[0])
        if found:
            return Equation(found[0], found[1], (read(parts[1], products, depth),), tokens)
    return None


def congruence(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
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


def relation(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """Equations, memberships and inequalities."""
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
        rest = [
            side for side, part in zip(sides[1:], parts[1:], strict=True) if part is parts[-1] or not label_of(part)
        ]
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
        for label, name, value in zip(labels, left, right, strict=True)
        if label
    )
    return Sequence("()", items)


def named_value(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """``Minimum: 1``, or parts of a ratio or time."""
    parts, signs = split(tokens, "colon")
    if not signs or not all(parts):
        return None
    if (
        all(token.kind == "word" or token.kind == "name" for token in parts[0])
        and any(token.kind == "word" for token in parts[0])
        and len(parts) == 2
    ):
        words = [token.text.casefold() for token in parts[0]]
        if not any(word in DENYING for word in words):
            return Equation(" ".join(words), "", (read(parts[1], products, depth),), tokens, True)
        return None
    if parts[0][0].kind == "word" and parts[0][-1].kind == "number" and len(parts) == 2:  # Sequence 1: ...
        return Equation(
            " ".join(token.text.casefold() for token in parts[0]), "", (read(parts[1], products, depth),), tokens, True
        )
    values = tuple(read(part, products, depth) for part in parts)
    return Ratio(values) if all(isinstance(value, Expression) for value in values) else None
