"""Sets of real numbers: unions of intervals, written as such or as inequalities in one name."""

from dataclasses import dataclass, replace
from functools import cmp_to_key
from typing import Any

from rlvr.grading.mathematics.cursor import Tree
from rlvr.grading.mathematics.equality import close, same_trees
from rlvr.grading.mathematics.points import Point, UndefinedError, context
from rlvr.grading.mathematics.trees import free_names
from rlvr.grading.mathematics.values import evaluate

INFINITY: Tree = ("const", "inf")
MINUS_INFINITY: Tree = ("neg", INFINITY)
MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}
GRID = tuple(step / 20 - 10.0125 for step in range(401))
FAR = tuple(1.05**step * 10 for step in range(1, 200))
BISECTIONS = 440


@dataclass(frozen=True, slots=True)
class Piece:
    """An interval.

    Attributes:
        low: Its lower end.
        low_closed: Whether that belongs to it.
        high: Its upper end.
        high_closed: Whether that belongs to it.
    """

    low: Tree
    low_closed: bool
    high: Tree
    high_closed: bool


@dataclass(frozen=True, slots=True)
class Region:
    """A union of intervals.

    Attributes:
        pieces: The intervals, in any order.
        name: The name that is said to lie in it, or ``""``.
        french: Whether it was written with outward brackets.
        excluding: Whether it was written as what is left out.
        sides: Sides of the inequality that it was written as.
        signs: Relations between them.
    """

    pieces: tuple[Piece, ...]
    name: str
    french: bool = False
    excluding: bool = False
    sides: tuple[Tree, ...] = ()
    signs: tuple[str, ...] = ()

    def named(self, name: str) -> "Region":
        """The region that a name lies in."""
        return replace(self, name=name)

    def union(self, other: "Region") -> "Region":
        """All of both."""
        return Region((*self.pieces, *other.pieces), self.name or other.name)

    def intersection(self, other: "Region") -> "Region | None":
        """The intersection of two regions; ``None`` if ends cannot be ordered."""
        pieces = []
        for one in self.pieces:
            for two in other.pieces:
                low, high = _later(one, two), _earlier(one, two)
                if low is None or high is None:
                    return None
                piece = Piece(low[0], low[1], high[0], high[1])
                if not _is_empty(piece):
                    pieces.append(piece)
        return Region(tuple(pieces), self.name or other.name, excluding=self.excluding and other.excluding)

    def without(self, other: "Region") -> "Region | None":
        """The part of a region that another one does not hold."""
        result: Region | None = self
        for piece in other.pieces:
            below = Piece(MINUS_INFINITY, False, piece.low, not piece.low_closed)
            above = Piece(piece.high, not piece.high_closed, INFINITY, False)
            outside = tuple(one for one in (below, above) if one.low != one.high)
            result = result.intersection(Region(outside, "")) if result else None
        return result


def same_regions(first: Region, second: Region) -> bool:
    """Whether two regions are the same set (and speak of the same name, where both name one)."""
    if first.name and second.name and first.name != second.name:
        return False
    one, other = _numeric(first), _numeric(second)
    if one is None or other is None:
        return _same_pieces(first, second)
    return len(one) == len(other) and all(_same_numeric(left, right) for left, right in zip(one, other, strict=True))


def from_relation(sides: tuple[Tree, ...], signs: tuple[str, ...]) -> Region | None:
    """The region of an inequality or chain in one name; ``None`` if it is not one that can be solved."""
    found = _region_of(sides, signs)
    return replace(found, sides=sides, signs=signs) if found else None


def _region_of(sides: tuple[Tree, ...], signs: tuple[str, ...]) -> Region | None:
    if len(sides) == 3 and _is_name(sides[1]) and "!=" not in signs:
        lower, upper = _bound(sides[1], MIRRORED[signs[0]], sides[0]), _bound(sides[1], signs[1], sides[2])
        return lower.intersection(upper) or _open_chain(sides, signs)
    if len(sides) != 2:
        return None
    if _is_name(sides[0]) and sides[0][1] not in free_names(sides[1]):
        return _bound(sides[0], signs[0], sides[1])
    if _is_name(sides[1]) and sides[1][1] not in free_names(sides[0]):
        return _bound(sides[1], MIRRORED[signs[0]], sides[0])
    names = free_names(sides[0]) | free_names(sides[1])
    return _solve(("add", sides[0], ("neg", sides[1])), signs[0], *names) if len(names) == 1 else None


def _open_chain(sides: tuple[Tree, ...], signs: tuple[str, ...]) -> Region | None:
    """A chain between ends that cannot be ordered: as it is written."""
    if all(sign in ("<", "<=") for sign in signs):
        return Region((Piece(sides[0], signs[0] == "<=", sides[2], signs[1] == "<="),), sides[1][1])
    if all(sign in (">", ">=") for sign in signs):
        return Region((Piece(sides[2], signs[1] == ">=", sides[0], signs[0] == ">="),), sides[1][1])
    return None


def _is_name(tree: Tree) -> bool:
    return tree[0] in ("name", "index") and not tree[1].startswith("bb ")


def _bound(name: Tree, sign: str, end: Tree) -> Region:
    label = name[1] if name[0] == "name" else f"{name[1]}_{' '.join(name[2])}"
    if sign == "!=":
        return Region(
            (Piece(MINUS_INFINITY, False, end, False), Piece(end, False, INFINITY, False)), label, excluding=True
        )
    if sign in ("<", "<="):
        return Region((Piece(MINUS_INFINITY, False, end, sign == "<="),), label)
    return Region((Piece(end, sign == ">=", INFINITY, False),), label)


def _value(tree: Tree) -> Any:
    """Value of an end, infinite ones included; ``None`` where it has none or depends on a name."""
    ctx = context()
    if tree in (INFINITY, MINUS_INFINITY):
        return ctx.inf if tree == INFINITY else -ctx.inf
    if tree[0] == "exact":
        return tree[1]
    if free_names(tree):
        return None
    try:
        point = Point("end")
        value = evaluate(tree, point)
    except UndefinedError:
        return None
    return None if point.left_reals or hasattr(value, "rows") or isinstance(value, ctx.mpc) else value


def _compare(first: Any, second: Any) -> int:
    if first == second or (abs(first) != context().inf and abs(second) != context().inf and close(first, second)):
        return 0
    return -1 if first < second else 1


def _later(one: Piece, two: Piece) -> tuple[Tree, bool] | None:
    """The larger of the lower ends."""
    return _tighter((one.low, one.low_closed), (two.low, two.low_closed), MINUS_INFINITY, 1)


def _earlier(one: Piece, two: Piece) -> tuple[Tree, bool] | None:
    """The smaller of the upper ends."""
    return _tighter((one.high, one.high_closed), (two.high, two.high_closed), INFINITY, -1)


def _tighter(one: tuple[Tree, bool], two: tuple[Tree, bool], unbounded: Tree, sign: int) -> tuple[Tree, bool] | None:
    """The end that leaves less: the larger one for sign 1, the smaller one for -1; ``None`` if they have no order."""
    if unbounded in (one[0], two[0]):
        return two if one[0] == unbounded else one
    first, second = _value(one[0]), _value(two[0])
    if first is None or second is None:
        return None
    order = _compare(first, second)
    if order == 0:
        return one[0], one[1] and two[1]
    return one if sign * order > 0 else two


def _is_empty(piece: Piece) -> bool:
    low, high = _value(piece.low), _value(piece.high)
    if low is None or high is None:
        return False
    order = _compare(low, high)
    return order > 0 or (order == 0 and not (piece.low_closed and piece.high_closed))


def _numeric(region: Region) -> list[tuple[Any, bool, Any, bool]] | None:
    """Disjoint intervals from left to right; ``None`` if an end depends on a name or an interval is empty."""
    pieces: list[tuple[Any, bool, Any, bool]] = []
    for piece in region.pieces:
        low, high = _value(piece.low), _value(piece.high)
        if low is None or high is None or _is_empty(piece):
            return None  # nobody means an interval that holds nothing: it is compared as it is written
        pieces.append((low, piece.low_closed, high, piece.high_closed))
    pieces.sort(key=cmp_to_key(_by_lower_end))
    merged: list[tuple[Any, bool, Any, bool]] = []
    for one in pieces:
        touch = _compare(one[0], merged[-1][2]) if merged else 1
        if touch < 0 or (touch == 0 and (one[1] or merged[-1][3])):
            before = merged[-1]
            order = _compare(one[2], before[2])
            high, closed = (before[2], before[3] or one[3]) if order == 0 else (one[2:] if order > 0 else before[2:])
            merged[-1] = (before[0], before[1], high, closed)
        else:
            merged.append(one)
    return merged


def _by_lower_end(one: tuple[Any, bool, Any, bool], two: tuple[Any, bool, Any, bool]) -> int:
    return _compare(one[0], two[0]) or int(two[1]) - int(one[1])


def _same_numeric(one: tuple[Any, bool, Any, bool], other: tuple[Any, bool, Any, bool]) -> bool:
    return one[1] == other[1] and one[3] == other[3] and _compare(one[0], other[0]) == 0 == _compare(one[2], other[2])


def _same_pieces(first: Region, second: Region) -> bool:
    left = list(second.pieces)
    for piece in first.pieces:
        found = next((other for other in left if _same_piece(piece, other)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _same_piece(one: Piece, other: Piece) -> bool:
    if (one.low_closed, one.high_closed) != (other.low_closed, other.high_closed):
        return False
    return all(same_trees(left, right) for left, right in ((one.low, other.low), (one.high, other.high)))


def _solve(difference: Tree, sign: str, name: str) -> Region | None:
    """Where a difference of two sides has the sign: between its zeros, found on a grid and by bisection."""
    if sign == "!=":
        return None
    wanted = 1 if sign in (">", ">=") else -1
    places = sorted({*GRID, *FAR, *(-far for far in FAR)})
    signs = [_sign_at(difference, name, place) for place in places]
    if any(one is None for one in signs) or 0 in signs:
        return None
    ends = [
        _zero(difference, name, places[at], places[at + 1])
        for at in range(len(places) - 1)
        if signs[at] != signs[at + 1]
    ]
    if len(ends) > 6 or None in ends:
        return None
    states = [signs[0], *(signs[at + 1] for at in range(len(places) - 1) if signs[at] != signs[at + 1])]
    bounds: list[Tree] = [MINUS_INFINITY, *(("exact", end) for end in ends), INFINITY]
    closed = sign in ("<=", ">=")
    pieces = [
        Piece(low, closed and low != MINUS_INFINITY, high, closed and high != INFINITY)
        for state, low, high in zip(states, bounds[:-1], bounds[1:], strict=True)
        if state == wanted
    ]
    return Region(tuple(pieces), name)


def _evaluated(difference: Tree, name: str, place: Any) -> Any:
    point = Point("solve", bound={name: context().mpf(place)})
    try:
        value = evaluate(difference, point)
    except UndefinedError:
        return None
    return None if point.left_reals or hasattr(value, "rows") or isinstance(value, context().mpc) else value


def _sign_at(difference: Tree, name: str, place: float) -> int | None:
    with context().workdps(30):
        value = _evaluated(difference, name, place)
    return None if value is None else int(context().sign(value))


def _zero(difference: Tree, name: str, low: float, high: float) -> Any:
    """The zero between two places, ``None`` for a jump."""
    ctx = context()
    one, other = ctx.mpf(low), ctx.mpf(high)
    at_one = _evaluated(difference, name, one)
    for _ in range(BISECTIONS):
        middle = (one + other) / 2
        value = _evaluated(difference, name, middle)
        if value is None:
            return None
        if value == 0:
            return middle
        if (value > 0) == (at_one > 0):
            one = middle
        else:
            other = middle
    value = _evaluated(difference, name, one)
    return one if value is not None and abs(value) < ctx.mpf(10) ** -60 else None
