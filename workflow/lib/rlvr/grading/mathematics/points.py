"""Random points: pseudo-random values of names and of functions that are not known."""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

DIGITS, MORE_DIGITS = 130, 400
SAME, TINY = 95, 60  # digits that must agree; below 10**-TINY a value is computed again with more digits
ROUGH_DIGITS, ROUGHLY_SAME = 30, 12  # of integrals and infinite sums, which are computed numerically
SIZE = 3  # of the random matrices that stand for letters which do not commute
RANGES = {"positive": (0.2, 2.5), "any": (-3.0, 3.0), "unit": (0.02, 0.98), "large": (3.0, 12.0), "integer": (2, 9)}
POINTS = ("positive", "positive", "any", "any", "unit", "any", "large", "unit", "positive", "large")
COMPLEX_NAMES = frozenset({"z", "w"})


class UndefinedError(Exception):
    """The expression has no value at this point."""


@lru_cache(maxsize=1)
def context() -> Any:
    """The arithmetic of mpmath, with a precision of its own."""
    import mpmath

    arithmetic = mpmath.MPContext()
    arithmetic.dps = DIGITS
    return arithmetic


@dataclass
class Point:
    """Values of names, and what happened while an expression was computed with them.

    Attributes:
        salt: What the pseudo-random values are derived from.
        span: Key of ``RANGES``.
        integers: Names that stand for integers.
        matrices: Names that stand for matrices.
        complexes: Whether ``z`` and ``w`` are complex here.
        bound: Values of the variables of sums and integrals.
        left_reals: Set where a real number had no real image.
        rough: Set where a value is only known to ``ROUGHLY_SAME`` digits.
    """

    salt: str
    span: str = "positive"
    integers: frozenset[str] = frozenset()
    matrices: frozenset[str] = frozenset()
    complexes: bool = False
    bound: dict[str, Any] = field(default_factory=dict)
    left_reals: bool = False
    rough: bool = False

    def fraction(self, key: str) -> Any:
        """A pseudo-random number between 0 and 1."""
        ctx = context()
        digest = hashlib.sha512(f"{self.salt}|{key}".encode("utf-8", "surrogatepass")).digest()
        return ctx.mpf(int.from_bytes(digest[:48], "big")) / ctx.mpf(2) ** 384

    def value(self, name: str) -> Any:
        """The value of a name."""
        ctx = context()
        if name in self.bound:
            return self.bound[name]
        if name in self.matrices:
            if name == "I":
                return ctx.eye(SIZE)
            return ctx.matrix(SIZE, SIZE).apply(lambda _: 0) + ctx.matrix(
                [
                    [self.fraction(f"{name}{row}{column}") - ctx.mpf("0.4") for column in range(SIZE)]
                    for row in range(SIZE)
                ]
            )
        if name in self.integers:
            low, high = RANGES["integer"]
            return ctx.mpf(int(low + (high - low) * self.fraction(name)))
        low, high = RANGES[self.span]
        real = ctx.mpf(low) + (ctx.mpf(high) - ctx.mpf(low)) * self.fraction(name)
        return ctx.mpc(real, self.fraction(name + " imaginary")) if self.complexes and name in COMPLEX_NAMES else real

    def opaque(self, key: str, arguments: list[Any]) -> Any:
        """The value of a function that is not known."""
        ctx = context()
        signs = [ctx.nstr(argument, 40) for argument in arguments]
        return self.fraction(f"{key}({';'.join(signs)})") * 3 + ctx.mpf("0.1")
