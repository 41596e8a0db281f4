"""Answers of several entries: lists, rows, points, intervals, values with conditions, plus and minus."""

from rlvr.grading.mathematics.kinds import Cases, Equation, Expression, Progression, Reading, Relation, Sequence, Text
from rlvr.grading.mathematics.latex import Token, Tokens
from rlvr.grading.mathematics.reader import read
from rlvr.grading.mathematics.regions import INFINITY, Piece, Region
from rlvr.grading.mathematics.sets import described, join_regions
from rlvr.grading.mathematics.structure import label_of, outer, split, wrapped

SYSTEMS = frozenset(
    {"cases", "aligned", "align", "gathered", "gather", "array", "split", "dcases", "rcases", "eqnarray", "alignedat"}
)


def system(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
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
        return Cases(
            tuple(
                (read(one, products, depth), read(condition(other), products, depth))
                for one, other in map(_at_condition, joined)
            )
        )
    items = tuple(read(row, products, depth) for row in joined)
    return items[0] if len(items) == 1 else Sequence("", items)


def _begins_with_relation(tokens: Tokens) -> bool:
    return tokens[0].kind == "relation"


def _conditional(tokens: Tokens) -> bool:
    return any(
        token.kind == "word" and token.text.casefold() in ("if", "when", "for", "otherwise", "where")
        for token in tokens[1:]
    )


def _at_condition(tokens: Tokens) -> tuple[Tokens, Tokens]:
    place = next(
        at
        for at, token in enumerate(tokens)
        if at and token.kind == "word" and token.text.casefold() in ("if", "when", "for", "otherwise", "where")
    )
    return tokens[:place], tokens[place:]


def condition(tokens: Tokens) -> Tokens:
    """A condition without the words that only introduce it."""
    while tokens and (tokens[0].kind == "sep" or tokens[0].text.casefold() in ("if", "for", "when", "where")):
        tokens = tokens[1:]
    return tokens


def list_of(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """Entries without brackets around them."""
    parts, signs = split(tokens, "sep", "and", "or")
    if not signs:
        return None
    parts = [part for part in parts if part]
    words = {sign.kind for sign in signs}
    joined = "or" if "or" in words else "and" if "and" in words else ","
    if any(token.kind == "dots" for part in parts for _, token in outer(part)):
        return _progression("", parts, products, depth)
    items = tuple(read(part, products, depth) for part in parts)
    logical = any(sign.text in ("\\lor", "\\land") for sign in signs)
    if joined != "," and all(
        isinstance(item, Expression) and item.tree[0] == "name" and (logical or item.tree[1].isupper())
        for item in items
    ):
        return None
    if len(items) == 1:
        return items[0]
    return join_regions(items, joined) or Sequence("", flattened(items), joined)


def flattened(items: tuple[Reading, ...]) -> tuple[Reading, ...]:
    r"""Entries with those of a bare list among them (``\pm 1, 3``) set out, and ``(x, y) = (1, 2)`` kept as one."""
    found: list[Reading] = []
    for item in items:
        if isinstance(item, Sequence) and not item.brackets and item.joined == "+-":
            found.extend(item.items)
        else:
            found.append(item)
    return tuple(found)


def _progression(brackets: str, parts: list[Tokens], products: frozenset[str], depth: int) -> Reading | None:
    places = [place for place, part in enumerate(parts) if any(token.kind == "dots" for token in part)]
    if len(places) != 1 or parts[places[0]] != (Token("dots", "..."),):
        return None
    (place,) = places
    before, after = ([read(part, products, depth) for part in some] for some in (parts[:place], parts[place + 1 :]))
    return Progression(brackets, tuple(before), tuple(after))


def plus_minus(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
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
    values = plus_minus(parts[1], products, depth)
    found = label_of(parts[0])
    if found is None or not isinstance(values, Sequence):
        return None
    return Sequence("", tuple(Equation(found[0], found[1], (value,), tokens) for value in values.items), "+-")


OPENED = {"\\{": "{", "<": "(", "(": "(", "[": "["}
CLOSED = {"\\}": "}", ">": ")", ")": ")", "]": "]"}


def bracketed(tokens: Tokens, products: frozenset[str], depth: int) -> Reading | None:
    """Entries in brackets: a point, an interval, a set."""
    tokens, transposed = _without_transpose(tokens)
    opening, inner, closing = wrapped(tokens)
    if not inner and opening == "\\{":
        return Text((Token("emptyset", "emptyset"),))
    if not opening or not inner:
        return None
    if opening == "{":
        return read(inner, products, depth)
    if opening not in OPENED or closing not in CLOSED:
        return None
    if opening == "\\{" and (region := described(inner, products, depth)) is not None:
        return region
    brackets = OPENED[opening] + CLOSED[closing]
    parts, signs = split(inner, "sep")
    if not signs:
        return None if transposed else _single_entry(inner, brackets, products, depth)
    if any(not part for part in parts[:-1]):
        return None
    parts = [part for part in parts if part]
    if any(token.kind == "dots" for part in parts for _, token in outer(part)):
        return _progression(brackets, parts, products, depth)
    items = tuple(read(part, products, depth) for part in parts)
    french = tokens[0].kind == "close" or tokens[-1].kind == "open"
    unbounded = len(items) == 2 and brackets in ("()", "[]") and any(_infinite(item) for item in items)
    if brackets in ("[)", "(]") or french or unbounded:
        return _interval(items, brackets, french)
    return Sequence("()" if transposed else brackets, flattened(items) if brackets == "{}" else items)


def _without_transpose(tokens: Tokens) -> tuple[Tokens, bool]:
    """Tokens in front of a last ``^T``, and whether there was one."""
    texts = tuple(token.text for token in tokens)
    for end in (("^", "T"), ("^", "{", "T", "}")):
        if len(tokens) > len(end) + 2 and texts[-len(end) :] == end:
            return tokens[: -len(end)], True
    return tokens, False


def _single_entry(inner: Tokens, brackets: str, products: frozenset[str], depth: int) -> Reading | None:
    """The content of brackets that hold one thing alone and then say nothing; ``None`` where they may say something."""
    if brackets not in ("{}", "[]", "()"):
        return None
    item = read(inner, products, depth)
    if isinstance(item, Sequence) and item.joined == "+-":
        return Sequence(brackets, item.items, "+-")
    if brackets == "{}" and item == Text((Token("emptyset", "emptyset"),)):
        return Sequence(brackets, (item,))
    if brackets == "{}" and isinstance(item, Equation):
        return None
    return None if brackets != "()" and isinstance(item, (Text, Relation, Region, Sequence)) else item


def _interval(items: tuple[Reading, ...], brackets: str, french: bool) -> Region | None:
    """The interval between two ends."""
    if len(items) != 2:
        return None
    low, high = items
    if not isinstance(low, Expression) or not isinstance(high, Expression):
        return None
    return Region((Piece(low.tree, brackets[0] == "[", high.tree, brackets[1] == "]"),), "", french=french)


def _infinite(item: Reading) -> bool:
    return isinstance(item, Expression) and item.tree in (INFINITY, ("neg", INFINITY))
