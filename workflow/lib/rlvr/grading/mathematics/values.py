r"""Values of expressions at random points: equal expressions have equal values.

130 digits are computed and compared relatively, so that :math:`e^{-40}` and :math:`e^{-41}` differ. What has no value
of its own (unknown functions, derivatives, limits, a gcd of letters) is a pseudo-random function of its arguments,
another one at every point: ``f(x+x)`` is ``f(2x)``, ``f'(x)`` is not ``f(x)``.
"""

import math
from fractions import Fraction
from typing import Any

from rlvr.grading.mathematics.cursor import Tree
from rlvr.grading.mathematics.functions import KNOWN, REAL_FUNCTIONS, SPECIAL
from rlvr.grading.mathematics.points import ROUGH_DIGITS, ROUGHLY_SAME, Point, UndefinedError, context
from rlvr.grading.mathematics.trees import free_names, has, rational

MAX_TERMS = 2000
MAX_EXPONENT = 10**7
UNDEFINED = (ValueError, TypeError, ArithmeticError, NotImplementedError, AttributeError, KeyError, MemoryError)


def evaluate(tree: Tree, point: Point) -> Any:
    """The value of an expression: a number or a matrix.

    Raises:
        UndefinedError: If it has none there.
    """
    try:
        return EVALUATORS[tree[0]](tree, point)
    except UNDEFINED as error:
        raise UndefinedError from error


def _number(tree: Tree, _point: Point) -> Any:
    ctx = context()
    return ctx.mpf(tree[1].numerator) / tree[1].denominator


def _constant(tree: Tree, point: Point) -> Any:
    ctx = context()
    if tree[1] in point.bound:
        return point.bound[tree[1]]
    if tree[1] == "inf":
        raise UndefinedError
    return {"pi": +ctx.pi, "e": +ctx.e, "i": ctx.mpc(0, 1)}[tree[1]]


def _name(tree: Tree, point: Point) -> Any:
    return point.value(tree[1])


def _indexed(tree: Tree, point: Point) -> Any:
    """``a_n``: its own name for every index; a bound variable in the index counts with its value."""
    signs = [context().nstr(point.bound[sign], 20) if sign in point.bound else sign for sign in tree[2]]
    key = f"{tree[1]}_{' '.join(signs)}"
    return point.value(key) if tree[1] not in point.matrices else replace_matrix(point, tree[1], key)


def replace_matrix(point: Point, name: str, key: str) -> Any:
    """The random matrix of an indexed letter."""
    return Point(point.salt, point.span, point.integers, frozenset({key})).value(key)


def _sum(tree: Tree, point: Point) -> Any:
    total = evaluate(tree[1], point)
    for part in tree[2:]:
        total = _add(total, evaluate(part, point))
    return total


def _is_matrix(value: Any) -> bool:
    return hasattr(value, "rows")


def _add(first: Any, second: Any) -> Any:
    if _is_matrix(first) != _is_matrix(second):
        matrix, scalar = (first, second) if _is_matrix(first) else (second, first)
        if matrix.rows != matrix.cols:
            raise UndefinedError
        return matrix + context().eye(matrix.rows) * scalar
    return first + second


def _product(tree: Tree, point: Point) -> Any:
    value = evaluate(tree[1], point)
    for part in tree[2:]:
        value = value * evaluate(part, point)
    return value


def _quotient(tree: Tree, point: Point) -> Any:
    top, bottom = evaluate(tree[1], point), evaluate(tree[2], point)
    if _is_matrix(bottom):
        return top * bottom**-1
    if bottom == 0:
        raise UndefinedError
    return top / bottom


def _power(tree: Tree, point: Point) -> Any:
    base = evaluate(tree[1], point)
    if tree[2] == ("name", "T") and _is_matrix(base):
        return base.T
    exact = rational(tree[2])
    if _is_matrix(base):
        if exact is None or exact.denominator != 1 or abs(exact) > 50:
            raise UndefinedError
        return base ** int(exact)
    if exact is not None:
        return _rational_power(base, exact, point)
    exponent = evaluate(tree[2], point)
    if base == 0 or abs(exponent) > MAX_EXPONENT:
        raise UndefinedError
    return _real(base**exponent, (base, exponent), point)


def _rational_power(base: Any, exponent: Fraction, point: Point) -> Any:
    """Powers of negative numbers are real where the denominator is odd."""
    ctx = context()
    if base == 0 and exponent <= 0:
        raise UndefinedError
    if exponent.denominator == 1:
        return base ** int(exponent)
    if _is_real(base) and base < 0 and exponent.denominator % 2:
        root = -((-base) ** (ctx.mpf(1) / exponent.denominator))
        return root ** int(exponent.numerator)
    return _real(base ** (ctx.mpf(exponent.numerator) / exponent.denominator), (base,), point)


def _root(tree: Tree, point: Point) -> Any:
    degree = rational(tree[2])
    if degree == 0:
        raise UndefinedError
    if degree is not None:
        return _rational_power(evaluate(tree[1], point), 1 / degree, point)
    base, exponent = evaluate(tree[1], point), evaluate(tree[2], point)
    return _real(base ** (1 / exponent), (base, exponent), point)


def _is_real(value: Any) -> bool:
    return not hasattr(value, "imag") or value.imag == 0


def _real(value: Any, arguments: tuple[Any, ...], point: Point) -> Any:
    """The value, noted if real arguments gave one that is not real."""
    if not _is_real(value) and all(_is_real(argument) for argument in arguments):
        point.left_reals = True
    return value


def _degrees(tree: Tree, point: Point) -> Any:
    """Degrees are a unit: inside trigonometric functions they are converted, elsewhere the number counts."""
    value = evaluate(tree[1], point)
    return value * context().pi / 180 if point.bound.get("degrees") else value


def _call(tree: Tree, point: Point) -> Any:
    name, arguments = tree[1], tree[2]
    if isinstance(name, tuple):  # an unknown function
        return _unknown(name, arguments, point)
    known = KNOWN.get(name)
    if name in ("gcd", "lcm", "mod"):
        return _integers(name, arguments, point)
    if name in ("sin", "cos", "tan", "cot", "sec", "csc", "cis") and has(arguments, "deg"):
        inner = Point(
            point.salt, point.span, point.integers, point.matrices, point.complexes, point.bound | {"degrees": True}
        )
        values = [evaluate(argument, inner) for argument in arguments]
    else:
        values = [_argument(argument, point) for argument in arguments]
    if known is None or (name in REAL_FUNCTIONS and not all(_is_real(value) for value in values)):
        return point.opaque(str(name), values)
    if any(_is_matrix(value) for value in values) and name not in ("det", "exp", "tr"):
        raise UndefinedError
    result = known(context(), *values)
    if result is None or (not _is_matrix(result) and not context().isfinite(result)):
        raise UndefinedError
    return _real(result, tuple(values), point)


def _argument(tree: Tree, point: Point) -> Any:
    if tree[0] == "sign":
        return context().mpf(int.from_bytes(tree[1].encode(), "big"))
    return evaluate(tree, point)


def _unknown(name: Tree, arguments: tuple[Tree, ...], point: Point) -> Any:
    key = name[1] if name[0] == "name" else f"{name[1]}_{' '.join(name[2])}"
    if key in SPECIAL and len(arguments) == 1:
        argument = evaluate(arguments[0], point)
        return _real(SPECIAL[key](context(), argument), (argument,), point)
    return point.opaque(f"function {key}", [_argument(argument, point) for argument in arguments])


def _integers(name: str, arguments: tuple[Tree, ...], point: Point) -> Any:
    """gcd, lcm and remainder: of integers that are written out computed, otherwise opaque (symmetric for gcd, lcm)."""
    ctx = context()
    values = [evaluate(argument, point) for argument in arguments]
    known = not any(free_names(argument) - set(point.bound) for argument in arguments)
    if known and all(_is_real(value) and value == int(value) for value in values):
        whole = [int(value) for value in values]
        if name == "mod":
            return ctx.mpf(whole[0] % whole[1])
        return ctx.mpf(math.gcd(*whole) if name == "gcd" else math.lcm(*whole))
    return point.opaque(name, sorted(values, key=lambda value: ctx.nstr(value, 40)) if name != "mod" else values)


def _opaque(tree: Tree, point: Point) -> Any:
    return point.opaque(" ".join(tree[1]), [evaluate(part, point) for part in tree[2]])


def _matrix(tree: Tree, point: Point) -> Any:
    return context().matrix([[evaluate(entry, point) for entry in row] for row in tree[1]])


def _vector(tree: Tree, point: Point) -> Any:
    return context().matrix([evaluate(entry, point) for entry in tree[1:]])


def _repeated(tree: Tree, point: Point) -> Any:
    """A sum or product over integers; an infinite sum to some digits."""
    ctx = context()
    name, variable, low, high, body = tree
    start = evaluate(low, point)
    inner = Point(point.salt, point.span, point.integers, point.matrices, point.complexes, dict(point.bound))
    if high == ("const", "inf"):
        return _infinite(tree, start, inner, point)
    end = evaluate(high, point)
    if start != int(start) or end != int(end) or end - start > MAX_TERMS:
        raise UndefinedError
    total = ctx.mpf(0 if name == "sum" else 1)
    for place in range(int(start), int(end) + 1):
        inner.bound[variable] = ctx.mpf(place)
        term = evaluate(body, inner)
        total = _add(total, term) if name == "sum" else total * term
    point.left_reals |= inner.left_reals
    point.rough |= inner.rough
    return total


def _infinite(tree: Tree, start: Any, inner: Point, point: Point) -> Any:
    ctx = context()
    if tree[0] != "sum" or not computable(tree[4]):
        return _dummy(tree, point)

    def term(place: Any) -> Any:
        inner.bound[tree[1]] = ctx.mpf(place)
        return evaluate(tree[4], inner)

    point.rough = True
    with ctx.workdps(ROUGH_DIGITS):
        return ctx.nsum(term, [int(start), ctx.inf])


def _integral(tree: Tree, point: Point) -> Any:
    """A definite integral to some digits; an indefinite one, or one of an unknown function, is opaque."""
    ctx = context()
    _, variable, low, high, body = tree
    if low is None or high is None or not computable(body):
        return _dummy(tree, point)
    inner = Point(point.salt, point.span, point.integers, point.matrices, point.complexes, dict(point.bound))

    def integrand(place: Any) -> Any:
        inner.bound[variable] = place
        return evaluate(body, inner)

    ends = [_end(end, point) for end in (low, high)]
    if not all(_is_real(end) for end in ends):
        raise UndefinedError
    point.rough = True
    with ctx.workdps(ROUGH_DIGITS):
        value, error = ctx.quad(integrand, ends, error=True)
    if error > ctx.mpf(10) ** -(ROUGHLY_SAME + 3) * max(1, abs(value)):
        raise UndefinedError
    return value


def _end(tree: Tree, point: Point) -> Any:
    if tree == ("const", "inf"):
        return context().inf
    return -context().inf if tree == ("neg", ("const", "inf")) else evaluate(tree, point)


def computable(body: Tree) -> bool:
    """Whether an integrand is made of known functions only."""
    return not has(body, "opaque", "int", "index") and not _has_unknown(body)


def _has_unknown(tree: Any) -> bool:
    if not isinstance(tree, tuple):
        return False
    if tree and tree[0] == "call" and (isinstance(tree[1], tuple) or tree[1] not in KNOWN):
        return True
    return any(_has_unknown(part) for part in tree)


def _dummy(tree: Tree, point: Point) -> Any:
    """An opaque value that does not depend on what the bound variable is called."""
    inner = Point(point.salt, point.span, point.integers, point.matrices, point.complexes, dict(point.bound))
    inner.bound[tree[1]] = context().mpf(12345) / 6789
    values = [evaluate(tree[4], inner)]
    values += [
        context().mpf(7) if end is None or has(end, "inf") else evaluate(end, point) for end in (tree[2], tree[3])
    ]
    return point.opaque(f"{tree[0]} {has(tree[2], 'inf')} {has(tree[3], 'inf')} {tree[3] is None}", values)


EVALUATORS: dict[str, Any] = {
    "num": _number, "const": _constant, "name": _name, "index": _indexed, "add": _sum, "mul": _product,
    "div": _quotient, "neg": lambda tree, point: -evaluate(tree[1], point), "pow": _power, "root": _root,
    "deg": _degrees, "call": _call,
    "opaque": _opaque, "matrix": _matrix, "vector": _vector, "sum": _repeated, "prod": _repeated, "int": _integral,
}  # fmt: skip
