"""The grammar of ``claims.yaml``: operands, numbers with their source, comparisons, and how comparisons combine.

It is closed: two operators and a factor, five functions of numbers, six functions of curves, and a count of parts that
must hold. Whatever else a file writes is refused with its place.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from rlvr.core.errors import InputError

HALF_PRINTED = "half_printed"


class LeafKind(StrEnum):
    """What a place in ``claims.yaml`` names."""

    CELL = "cell"
    CURVE = "curve"
    BASE = "base"
    COUNT = "count"


Place: TypeAlias = tuple[str, ...]
FORMS: Mapping[str, str] = {
    LeafKind.CELL: "output/row/column",
    LeafKind.CURVE: "figure/series",
    LeafKind.BASE: "base/model/benchmark",
    LeafKind.COUNT: "data/dataset/count",
}
COUNTS = ("read", "cut", "kept", "train", "eval", "easy", "medium", "hard")  # problems that a data card counts


@dataclass(frozen=True)
class Leaf:
    """A reproduced number or curve, by its place.

    Attributes:
        kind: What the place names.
        place: Cell: output, row, column. Curve: figure, series. Base: model, benchmark. Count: data set, count.
    """

    kind: LeafKind
    place: Place

    @property
    def text(self) -> str:
        """The place as ``claims.yaml`` writes it."""
        first = {LeafKind.BASE: ("base",), LeafKind.COUNT: ("data",)}.get(self.kind, ())
        return "/".join((*first, *self.place))


@dataclass(frozen=True)
class Number:
    """A number that a claim compares with, asks as a margin or multiplies by.

    Attributes:
        value: The number.
        source: ``SOURCE: ...`` for one that the paper prints, ``ASSUME: ...`` for one of ours; empty for a plain zero.
    """

    value: float
    source: str = ""


@dataclass(frozen=True)
class Function:
    """A function that an operand may apply.

    Attributes:
        fewest: Fewest operands.
        most: Most operands; ``None`` for any number.
        of_curves: Whether its operands are curves.
        meaning: One line.
    """

    fewest: int
    most: int | None
    of_curves: bool
    meaning: str


FUNCTIONS: Mapping[str, Function] = {
    "largest": Function(1, None, False, "the operand of largest value"),
    "smallest": Function(1, None, False, "the operand of smallest value"),
    "mean": Function(1, None, False, "the mean of the operands"),
    "minus": Function(2, 2, False, "the first less the second"),
    "ratio": Function(2, 2, False, "the first over the second"),
    "area": Function(1, 1, True, "the mean value of a curve"),
    "peak": Function(1, 1, True, "the largest value of a curve"),
    "peak_at": Function(1, 1, True, "the index at which a curve is largest: a step, for a curve of training"),
    "lowest_after_peak": Function(1, 1, True, "the smallest value of a curve from its peak on"),
    "smallest_gap": Function(2, 2, True, "the smallest of the first curve less the second, over their common indices"),
    "largest_gap": Function(2, 2, True, "the largest distance of two curves over their common indices"),
}


@dataclass(frozen=True)
class Call:
    """A function of operands."""

    name: str
    operands: "tuple[Operand, ...]"


Operand: TypeAlias = Leaf | Number | Call


class Operator(StrEnum):
    """How a comparison compares; ``below`` in a file is ``exceeds`` with its sides swapped."""

    EXCEEDS = "exceeds"
    WITHIN = "within"


@dataclass(frozen=True)
class Comparison:
    """``left op right``.

    Attributes:
        left: An operand.
        op: ``exceeds``: left - factor x right > margin. ``within``: the distance of left and right is at most the
            margin; with a factor, each is at most so many times the other.
        right: An operand.
        margin: In the operands' unit, not negative; ``None`` for half of the distance of the printed numbers.
        factor: Positive; 1 where the file gives none.
    """

    left: Operand
    op: Operator
    right: Operand
    margin: Number | None = Number(0.0)
    factor: Number = Number(1.0)

    def operands(self) -> Iterator[Operand]:
        """Both sides with everything inside them."""
        return (each for side in (self.left, self.right) for each in walk(side))


@dataclass(frozen=True)
class Combination:
    """Statements of which so many must hold.

    Attributes:
        parts: The statements.
        needed: How many of them must hold: all of them for ``all``, one for ``any``.
    """

    parts: "tuple[Statement, ...]"
    needed: int


Statement: TypeAlias = Comparison | Combination


def walk(operand: Operand) -> Iterator[Operand]:
    """An operand and every operand inside it."""
    yield operand
    if isinstance(operand, Call):
        for inner in operand.operands:
            yield from walk(inner)


def comparisons_of(statement: Statement) -> list[Comparison]:
    """Every comparison of a statement, in the order of the file."""
    if isinstance(statement, Comparison):
        return [statement]
    return [found for part in statement.parts for found in comparisons_of(part)]


def leaves_of(statement: Statement) -> list[Leaf]:
    """Every place that a statement reads, each once, in the order of the file."""
    operands = (each for part in comparisons_of(statement) for each in part.operands())
    return list(dict.fromkeys(each for each in operands if isinstance(each, Leaf)))


def read_statement(content: Mapping[str, Any], where: str) -> Statement:
    """A statement of what the file says.

    Args:
        content: One of ``{left, op, right, margin, factor}``, ``{descending: [...], margin}``,
            ``{ascending: [...], margin}``, ``{all: [...]}``, ``{any: [...]}`` and ``{at_least: n, of: [...]}``.
        where: What a message shall name.

    Raises:
        InputError: Names ``where`` and what is wrong.
    """
    if "op" in content:
        return _comparison(content, where)
    for name in ("descending", "ascending"):
        if name in content:
            return _chain(content, name, where)
    parts = tuple(read_statement(part, where) for part in content.get("of", content.get("all", content.get("any"))))
    needed = content.get("at_least", 1 if "any" in content else len(parts))
    if needed > len(parts):
        raise InputError(where, f"asks at least {needed} of {len(parts)} statements.", "Lower at_least.")
    return Combination(parts, needed)


def _comparison(content: Mapping[str, Any], where: str) -> Comparison:
    left, right = (read_operand(content[side], where) for side in ("left", "right"))
    if content["op"] == "below":
        left, right = right, left
    op = Operator(content["op"] if content["op"] == "within" else "exceeds")
    factor = read_number(content["factor"], where) if "factor" in content else Number(1.0)
    if factor.value <= 0 or (op is Operator.WITHIN and factor.value < 1):
        raise InputError(where, f"factor {factor.value:g}.", "A factor is positive, and at least 1 for 'within'.")
    if op is Operator.WITHIN and factor.value != 1 and "margin" in content:
        raise InputError(where, "'within' has a factor and a margin.", "Give one of them.")
    return Comparison(left, op, right, read_margin(content, where), factor)


def _chain(content: Mapping[str, Any], name: str, where: str) -> Combination:
    """Each operand exceeds the next one; an ascending chain is read from its end."""
    operands = [read_operand(entry, where) for entry in content[name]]
    pairs = itertools.pairwise(operands)
    margin = read_margin(content, where)
    ordered = [(one, other) if name == "descending" else (other, one) for one, other in pairs]
    parts = tuple(Comparison(high, Operator.EXCEEDS, low, margin) for high, low in ordered)
    return Combination(parts, len(parts))


def read_margin(content: Mapping[str, Any], where: str) -> Number | None:
    """The margin of a statement; zero where it gives none, ``None`` for half of the printed distance.

    Raises:
        InputError: If it is negative.
    """
    if content.get("margin") == HALF_PRINTED:
        return None
    margin = read_number(content["margin"], where) if "margin" in content else Number(0.0)
    if margin.value < 0:
        raise InputError(where, f"margin {margin.value:g}.", "A margin is not negative.")
    return margin


def read_number(content: Mapping[str, Any], where: str) -> Number:
    """A number with its source: ``{printed: 5.9}``, ``{half_of: 5.9}`` or ``{assume: 5, because: ...}``."""
    if "printed" in content:
        return Number(float(content["printed"]), f"SOURCE: printed, {content.get('at', where)}")
    if "half_of" in content:
        printed = content["half_of"]
        return Number(float(printed) / 2, f"SOURCE: half of the printed {printed}, {content.get('at', where)}")
    return Number(float(content["assume"]), f"ASSUME: {content['because']}")


def read_operand(content: Any, where: str) -> Operand:
    """An operand of what the file says: a place, a number with its source, or a function of operands.

    Raises:
        InputError: Names ``where`` and the operand.
    """
    if isinstance(content, str):
        return read_place(content, where)
    if set(content) & {"printed", "half_of", "assume"}:
        return read_number(content, where)
    ((name, inner),) = content.items()
    entries: Sequence[Any] = inner if isinstance(inner, list) else [inner]
    operands = tuple(read_operand(entry, where) for entry in entries)
    function = FUNCTIONS[name]
    if len(operands) < function.fewest or (function.most is not None and len(operands) > function.most):
        raise InputError(where, f"'{name}' has {len(operands)} operands.", f"It gives {function.meaning}.")
    for operand in operands:
        _check_operand(operand, name, where)
    return Call(name, operands)


def _check_operand(operand: Operand, name: str, where: str) -> None:
    is_curve = isinstance(operand, Leaf) and operand.kind is LeafKind.CURVE
    if is_curve != FUNCTIONS[name].of_curves:
        wanted = "curves (figure/series)" if FUNCTIONS[name].of_curves else "numbers, not curves"
        raise InputError(where, f"'{name}' has another kind of operand.", f"It takes {wanted}.")


def read_place(text: str, where: str) -> Leaf:
    """The place that a text names.

    Raises:
        InputError: Names the text and the forms that a place may have.
    """
    parts = tuple(text.split("/"))
    if len(parts) == 3 and all(parts):
        if parts[0] == "base":
            return Leaf(LeafKind.BASE, parts[1:])
        return Leaf(LeafKind.COUNT, parts[1:]) if parts[0] == "data" else Leaf(LeafKind.CELL, parts)
    if len(parts) == 2 and all(parts):
        return Leaf(LeafKind.CURVE, parts)
    raise InputError(where, f"names '{text}'.", f"Expected one of: {', '.join(FORMS.values())}.")
