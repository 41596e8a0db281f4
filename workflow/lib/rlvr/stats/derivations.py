"""Printed numbers with the room that their rounding leaves, and whether one follows from others.

Values and bounds are exact fractions: whether a deviation follows from three rounded percentages is decided by the last
digit. Only a square root makes a float.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product

MULTIPLIERS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
NUMBER = re.compile(
    r"(?P<about>~?)(?P<digits>[+-]?\d[\d,]*(?:\.(?P<decimals>\d+))?)(?:e(?P<power>[+-]?\d+))?"
    r"(?P<suffix>[KMBT]?)(?P<percent>%?)(?P<exact>!?)"
)
SLACK = 1e-12  # relative, in favour of the print, where a square root has made a bound a float


@dataclass(frozen=True)
class Printed:
    """A number as a paper prints it, or what arithmetic makes of such numbers.

    Attributes:
        value: Exactly what the digits say, suffix multiplied out; percent stay percent.
        low: Smallest number that is printed so, whichever way halves are rounded.
        high: Largest number that is printed so.
    """

    value: Fraction
    low: Fraction
    high: Fraction

    @classmethod
    def read(cls, text: str) -> "Printed":
        """Read ``84.0``, ``84.0%``, ``43.6M``, ``5,399``, ``~900`` or ``1e-5``; the last digit is a rounded one.

        A tilde takes the zeros before the point as not significant, too: ``~900`` is 850 to 950. An exclamation mark
        (ours) says that the number is exact, such as a limit that a text names.

        Raises:
            ValueError: If the text is not a number.
        """
        match = NUMBER.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"'{text}' is not a number")
        digits = match["digits"].replace(",", "")
        unit = Fraction(10) ** int(match["power"] or 0) * MULTIPLIERS[match["suffix"]]
        value = Fraction(digits) * unit
        if match["exact"]:
            return cls(value, value, value)
        zeros = len(digits) - len(digits.rstrip("0")) if match["about"] and "." not in digits else 0
        half = Fraction(10) ** (zeros - len(match["decimals"] or "")) * unit / 2
        return cls(value, value - half, value + half)

    @classmethod
    def exact(cls, value: Fraction | int) -> "Printed":
        """A number that is not rounded, such as a count."""
        return cls(Fraction(value), Fraction(value), Fraction(value))

    def __add__(self, other: "Printed") -> "Printed":
        return Printed(self.value + other.value, self.low + other.low, self.high + other.high)

    def __neg__(self) -> "Printed":
        return Printed(-self.value, -self.high, -self.low)

    def __sub__(self, other: "Printed") -> "Printed":
        return self + -other

    def __mul__(self, other: "Printed") -> "Printed":
        ends = [left * right for left in (self.low, self.high) for right in (other.low, other.high)]
        return Printed(self.value * other.value, min(ends), max(ends))

    def __truediv__(self, other: "Printed") -> "Printed":
        """Quotient; its bounds are exact.

        Raises:
            ValueError: If the divisor's rounding does not exclude zero.
        """
        if other.low <= 0 <= other.high:
            raise ValueError("division by a number that may be zero")
        return self * Printed(1 / other.value, 1 / other.high, 1 / other.low)

    def __pow__(self, exponent: int) -> "Printed":
        if exponent < 0:
            return Printed.exact(1) / self**-exponent
        result = Printed.exact(1)
        for _ in range(exponent):
            result = result * self
        return result

    def meets(self, other: "Printed") -> bool:
        """Whether one number can be printed in both ways."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Derivation:
    """A printed number against what other printed numbers make of it.

    Attributes:
        printed: The number under test.
        derived: Recomputed from the other numbers as printed.
        low: Smallest value that their rounding leaves possible.
        high: Largest value that their rounding leaves possible.
    """

    printed: Printed
    derived: Fraction | float
    low: Fraction | float
    high: Fraction | float

    @property
    def matches(self) -> bool:
        """Whether the recomputed value, rounded likewise, is the printed one."""
        slack = self._slack
        return self.printed.low - slack <= self.derived <= self.printed.high + slack

    @property
    def possible(self) -> bool:
        """Whether some unrounded numbers agree with everything that is printed; if not, one print is wrong."""
        slack = self._slack
        return self.low <= self.printed.high + slack and self.printed.low - slack <= self.high

    @property
    def _slack(self) -> float | int:
        return SLACK * max(1.0, abs(self.derived)) if isinstance(self.derived, float) else 0


def derive(printed: Printed, computed: Printed) -> Derivation:
    """A printed number against an expression of others."""
    return Derivation(printed, computed.value, computed.low, computed.high)


def mean_of(values: Sequence[Printed]) -> Printed:
    """Mean of printed numbers with exact bounds."""
    return sum(values[1:], values[0]) / Printed.exact(len(values))


def derive_deviation(printed: Printed, values_S: Sequence[Printed], ddof: int = 1) -> Derivation:
    """A printed standard deviation against the printed values of the seeds.

    The variance is convex in the values: its largest value over the box of roundings lies at a corner (2^S of them),
    its smallest where all values are as close as the box allows to a common centre.

    Args:
        printed: The printed deviation.
        values_S: The values of the seeds.
        ddof: 1 divides by n - 1, 0 by n.

    Raises:
        ValueError: For fewer than two values, or more than 16.
    """
    if not 2 <= len(values_S) <= 16:
        raise ValueError(f"expected 2 to 16 seeds, found {len(values_S)}")
    shrink = math.sqrt((len(values_S) - 1) / (len(values_S) - ddof))
    derived = deviation([value.value for value in values_S])
    corners = product(*((value.low, value.high) for value in values_S))
    bounds = (derived, smallest_deviation(values_S), max(map(deviation, corners)))
    return Derivation(printed, *(shrink * bound for bound in bounds))


def deviation(values_S: Sequence[Fraction]) -> float:
    """Standard deviation with ddof=1."""
    mean = sum(values_S, Fraction()) / len(values_S)
    return math.sqrt(sum((value - mean) ** 2 for value in values_S) / (len(values_S) - 1))


def smallest_deviation(values_S: Sequence[Printed]) -> float:
    """Smallest standard deviation (ddof=1) of any numbers that are printed as ``values_S``.

    Minimising over the numbers and their mean together leaves the sum of squared distances of one centre from all
    rounding intervals: convex, with its minimum between two neighbouring ends of intervals, where it is a parabola.
    """
    ends = sorted({end for value in values_S for end in (value.low, value.high)})
    candidates = list(ends)
    for left, right in pairwise(ends):
        middle = (left + right) / 2
        nearest = [_clip(middle, value) for value in values_S]
        outside = [point for point, value in zip(nearest, values_S, strict=True) if not value.low < middle < value.high]
        centre = sum(outside, Fraction()) / len(outside) if outside else middle
        candidates.append(min(max(centre, left), right))
    squares = min(sum((centre - _clip(centre, value)) ** 2 for value in values_S) for centre in candidates)
    return math.sqrt(squares / (len(values_S) - 1))


def _clip(centre: Fraction, value: Printed) -> Fraction:
    return min(max(centre, value.low), value.high)
