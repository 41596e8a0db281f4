"""Whether two expressions are equal: by their values at random points, and by the order of what does not commute."""

from typing import Any

from rlvr.grading.mathematics.cursor import Tree
from rlvr.grading.mathematics.points import (
    COMPLEX_NAMES,
    DIGITS,
    MORE_DIGITS,
    POINTS,
    ROUGHLY_SAME,
    SAME,
    TINY,
    Point,
    UndefinedError,
    context,
)
from rlvr.grading.mathematics.trees import free_names, has, rational
from rlvr.grading.mathematics.values import evaluate

NEEDED = 2  # points at which both have a real value
TRANSPOSED = frozenset("uvwxyz")
DECIMAL_DIGITS = 6  # significant ones, and places, that make a rounded decimal an answer


def same_trees(first: Tree, second: Tree) -> bool:
    """Whether two expressions are equal."""
    if first == second:
        return True
    rounded = decimal_digits(first, second)
    if rounded is not None:
        return rounded
    if not _same_scalars(first, second):
        return False
    matrices = noncommuting(first) | noncommuting(second)
    return not matrices or _same_matrices(first, second, matrices)


def proportional(first: Tree, second: Tree, positive: bool = False) -> bool:
    """Whether one expression is a constant multiple of the other, not zero, and above zero where that is asked."""
    ratios = []
    names = free_names(first) | free_names(second)
    if not names:
        return False
    integers = integer_names(first) | integer_names(second)
    for place, span in enumerate(POINTS):
        pair = [_value_at(tree, Point(f"{place}", span, integers)) for tree in (first, second)]
        if any(value is None or hasattr(value[0], "rows") for value in pair):
            continue
        (one, one_real), (other, other_real) = pair  # type: ignore[misc]
        if one == 0 or other == 0 or not (one_real and other_real):
            continue
        ratios.append(one / other)
    if len(ratios) <= NEEDED or any(not close(ratio, ratios[0]) for ratio in ratios):
        return False
    matrices = noncommuting(first) | noncommuting(second)
    if positive and not (hasattr(ratios[0], "real") and ratios[0].real > 0):
        return False
    return not matrices or _order(first, matrices) == _order(second, matrices)


def close(one: Any, other: Any, digits: int = SAME) -> bool:
    """Whether two numbers agree relatively."""
    return bool(abs(one - other) <= context().mpf(10) ** -digits * max(abs(one), abs(other)))


def decimal_digits(first: Tree, second: Tree) -> bool | None:
    """The decision beside a decimal written out: it may be rounded or cut in its last digit if it is long enough.

    ``None`` where neither is a decimal alone, or both are equal or far from equal exactly.
    """
    exact, literal = (second, _literal(first)) if _literal(first) else (first, _literal(second))
    if literal is None or free_names(exact) or has(exact, "matrix", "vector"):
        return None
    sign, digits, value = literal
    places = len(digits.partition(".")[2])
    if places < DECIMAL_DIGITS or len(digits.replace(".", "").lstrip("0")) < DECIMAL_DIGITS:
        return None
    found = _value_at(exact, Point("decimal"))
    if found is None or hasattr(found[0], "rows") or not found[1]:
        return None
    unit = context().mpf(10) ** -places
    if close(found[0] / unit, context().nint(found[0] / unit)):
        return None  # it could have been written exactly
    return bool(abs(found[0] - sign * context().mpf(digits)) < unit) if value != found[0] else True


def _literal(tree: Tree) -> tuple[int, str, Any] | None:
    """Sign, digits and value of a decimal that stands alone."""
    sign, inner = (-1, tree[1]) if tree[0] == "neg" else (1, tree)
    if inner[0] != "num" or not inner[2]:
        return None
    return sign, inner[2], sign * context().mpf(inner[1].numerator) / inner[1].denominator


def _same_scalars(first: Tree, second: Tree) -> bool:
    names = free_names(first) | free_names(second)
    imaginary = has(first, "i") or has(second, "i") or has(first, "cis") or has(second, "cis")
    with_bars = has(first, "abs") != has(second, "abs")
    if not names:
        return _same_at(first, second, Point("0"), Point("0"))
    integers = integer_names(first) | integer_names(second)
    agreed = left = 0
    for place, span in enumerate(POINTS):
        points = [Point(f"{place}", span, integers) for _ in range(2)]
        values = [_value_at(tree, point) for tree, point in zip((first, second), points, strict=True)]
        if None in values:
            continue
        real = [value[1] for value in values if value]
        if not imaginary and not all(real):
            if any(real) and with_bars:
                return False
            left += 1
            continue
        if not _same_at(first, second, points[0], points[1], values):
            return False
        agreed += 1
    if agreed < NEEDED and (not left or not _same_everywhere_complex(first, second, integers)):
        return False
    return (
        not names & COMPLEX_NAMES
        or "y" in names
        or not (has(first, "abs", "conj") or has(second, "abs", "conj"))
        or _same_complex_names(first, second)
    )


def _same_everywhere_complex(first: Tree, second: Tree, integers: frozenset[str]) -> bool:
    """For expressions that are nowhere real."""
    agreed = 0
    for place, span in enumerate(POINTS):
        points = [Point(f"{place}", span, integers) for _ in range(2)]
        values = [_value_at(tree, point) for tree, point in zip((first, second), points, strict=True)]
        if None in values:
            continue
        if not _same_at(first, second, points[0], points[1], values):
            return False
        agreed += 1
    return agreed >= NEEDED


def _same_complex_names(first: Tree, second: Tree) -> bool:
    points = [[Point(f"complex {place}", "any", complexes=True) for _ in range(2)] for place in range(3)]
    return all(_same_at(first, second, *pair) for pair in points)


def _value_at(tree: Tree, point: Point) -> tuple[Any, bool] | None:
    """Value, and whether it was found among the real numbers; ``None`` where there is none."""
    try:
        value = evaluate(tree, point)
    except UndefinedError:
        return None
    real = not point.left_reals
    return value, real


def _same_at(first: Tree, second: Tree, point: Point, other_point: Point, values: Any = None) -> bool:
    values = values or [_value_at(first, point), _value_at(second, other_point)]
    if None in values:
        return False
    (one, _), (other, _) = values
    if hasattr(one, "rows") or hasattr(other, "rows"):
        return _same_entries(one, other, point.rough or other_point.rough)
    if point.rough or other_point.rough:
        return close(one, other, ROUGHLY_SAME) or bool(max(abs(one), abs(other)) < context().mpf(10) ** -ROUGHLY_SAME)
    if close(one, other):
        return True
    if max(abs(one), abs(other)) < context().mpf(10) ** -TINY:
        return _same_with_more_digits(first, second, point, other_point)
    return False


def _same_entries(one: Any, other: Any, rough: bool) -> bool:
    if not (hasattr(one, "rows") and hasattr(other, "rows")) or (one.rows, one.cols) != (other.rows, other.cols):
        return False
    digits = ROUGHLY_SAME if rough else SAME - 15
    size = max(abs(entry) for entry in [*one, *other, 1])
    return all(abs(left - right) <= context().mpf(10) ** -digits * size for left, right in zip(one, other, strict=True))


def _same_with_more_digits(first: Tree, second: Tree, point: Point, other_point: Point) -> bool:
    """Tiny values: what is really zero shrinks with the precision, what is not stays and is compared relatively."""
    ctx = context()
    before = [abs(evaluate(first, point)), abs(evaluate(second, other_point))]
    ctx.dps = MORE_DIGITS
    try:
        one, other = evaluate(first, point), evaluate(second, other_point)
        shrinking = [
            abs(value) <= size * ctx.mpf(10) ** -TINY for value, size in zip((one, other), before, strict=True)
        ]
        return all(shrinking) or (not any(shrinking) and close(one, other, SAME))
    except UndefinedError:
        return False
    finally:
        ctx.dps = DIGITS


def integer_names(tree: Any) -> frozenset[str]:
    """Names that can only be integers: in bounds of sums and in exponents of negative numbers."""
    if not isinstance(tree, tuple) or not tree:
        return frozenset()
    found: frozenset[str] = frozenset().union(*(integer_names(part) for part in tree))
    if tree[0] in ("sum", "prod"):
        found |= free_names(tree[2]) | free_names(tree[3])
    if tree[0] == "pow" and ((value := rational(tree[1])) is not None and value < 0):
        found |= free_names(tree[2])
    return found


def noncommuting(tree: Any) -> frozenset[str]:
    """Names whose products must keep their order.

    These are different capitals that touch, letters with an inverse on the other side of another letter, and what
    is transposed.
    """
    if not isinstance(tree, tuple) or not tree:
        return frozenset()
    found: frozenset[str] = frozenset().union(*(noncommuting(part) for part in tree))
    if tree[0] == "pow" and tree[2] == ("name", "T"):
        names = free_names(tree[1])
        if any(is_capital(name) or name in TRANSPOSED for name in names):
            found |= names
    if tree[0] == "mul":
        found |= _in_product(tree[1:])
    if tree[0] in ("mul", "pow"):
        found |= _in_sums(tree[1:] if tree[0] == "mul" else tree[1:2])
    return found


def _in_sums(factors: tuple[Tree, ...]) -> frozenset[str]:
    """Capitals that are added in a factor: their sum does not commute either."""
    sums = [factor[1] if factor[0] == "pow" else factor for factor in factors]
    names = (_base_name(part) for one in sums if one[0] == "add" for part in one[1:])
    capitals = frozenset(name for name in names if name and is_capital(name))
    return capitals if len(capitals) > 1 else frozenset()


def transposes(tree: Any) -> bool:
    """Whether something is raised to T."""
    if not isinstance(tree, tuple):
        return False
    return (tree[:1] == ("pow",) and tree[2] == ("name", "T")) or any(transposes(part) for part in tree)


def _in_product(factors: tuple[Tree, ...]) -> frozenset[str]:
    factors = tuple(_factors(factors))
    capitals = [_base_name(factor) for factor in factors]
    distinct = {name for name in capitals if name and is_capital(name)}
    exponential = {
        name
        for factor in factors
        if factor[0] == "pow" and factor[1] == ("const", "e")
        for name in free_names(factor[2])
        if is_capital(name)
    }
    found = frozenset(distinct) if len(distinct) > 1 else frozenset()
    if len(exponential) > 1:
        found |= frozenset(exponential)
    names = [
        (place, _base_name(factor), _is_inverse(factor)) for place, factor in enumerate(factors) if _base_name(factor)
    ]
    for place, name, inverse in names:
        for other_place, other, other_inverse in names:
            between = [one for at, one, _ in names if place < at < other_place and one != name]
            if name == other and inverse != other_inverse and between:
                found |= frozenset(one for _, one, _ in names if one)
    return found


def _factors(factors: tuple[Tree, ...]) -> Any:
    for factor in factors:
        if factor[0] == "mul":
            yield from _factors(factor[1:])
        else:
            yield factor


def _base_name(factor: Tree) -> str | None:
    while factor[0] in ("pow", "neg"):
        factor = factor[1]
    return factor[1] if factor[0] in ("name", "index") else None


def _is_inverse(factor: Tree) -> bool:
    exponent = rational(factor[2]) if factor[0] == "pow" else None
    return exponent is not None and exponent < 0


def is_capital(name: str) -> bool:
    """Whether a name is a capital letter, Latin or Greek, with or without primes."""
    bare = name.rstrip("'")
    return (len(bare) == 1 and bare.isupper()) or (bare.startswith("\\") and bare[1:2].isupper())


def _same_matrices(first: Tree, second: Tree, matrices: frozenset[str]) -> bool:
    if transposes(first) != transposes(second):
        return False
    values = [_value_at(tree, Point("matrices", "positive", matrices=matrices)) for tree in (first, second)]
    if None in values:
        return _order(first, matrices) == _order(second, matrices)
    (one, _), (other, _) = values  # type: ignore[misc]
    if hasattr(one, "rows") != hasattr(other, "rows"):
        return False
    return _same_entries(one, other, False) if hasattr(one, "rows") else close(one, other, SAME - 15)


def _order(tree: Any, matrices: frozenset[str]) -> tuple[str, ...]:
    """The names that do not commute, as they are written."""
    if not isinstance(tree, tuple) or not tree:
        return ()
    if tree[0] in ("name", "index"):
        return (tree[1],) if tree[1] in matrices else ()
    return tuple(name for part in tree for name in _order(part, matrices))
