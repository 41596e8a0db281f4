"""Bounds of a printed number before it was rounded, and whether printed numbers fit together.

Bounds are exact fractions: whether a deviation follows from three rounded percentages is decided by the last digit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product


@dataclass(frozen=True)
class Printed:
    """A number as a paper prints it.

    Attributes:
        value: Exactly what the digits say.
        decimals: Digits after the point, trailing zeros included.
    """

    value: Fraction
    decimals: int

    @classmethod
    def read(cls, text: str) -> "Printed":
        """Read ``84.0`` or ``84.0%``; the unit stays that of the print."""
        digits = text.strip().removesuffix("%").strip()
        return cls(Fraction(digits), len(digits.partition(".")[2]))

    @property
    def low(self) -> Fraction:
        """Smallest number that is printed so, whichever way halves are rounded."""
        return self.value - Fraction(1, 2 * 10**self.decimals)

    @property
    def high(self) -> Fraction:
        """Largest number that is printed so, whichever way halves are rounded."""
        return self.value + Fraction(1, 2 * 10**self.decimals)


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
    derived: float
    low: float
    high: float

    @property
    def matches(self) -> bool:
        """Whether the recomputed value, rounded likewise, is the printed one."""
        return float(self.printed.low) <= self.derived <= float(self.printed.high)

    @property
    def possible(self) -> bool:
        """Whether some unrounded numbers agree with everything that is printed; if not, one print is wrong."""
        return self.low <= float(self.printed.high) and float(self.printed.low) <= self.high


def derive_mean(printed: Printed, values_S: Sequence[Printed]) -> Derivation:
    """A printed mean against the printed values of the seeds."""
    count = len(values_S)
    derived, low, high = (
        float(sum(getattr(value, side) for value in values_S) / count) for side in ("value", "low", "high")
    )
    return Derivation(printed, derived, low, high)


def derive_deviation(printed: Printed, values_S: Sequence[Printed]) -> Derivation:
    """A printed standard deviation (ddof=1) against the printed values of the seeds.

    The variance is convex in the values: its largest value over the box of roundings lies at a corner (2^S of them),
    its smallest where all values are as close as the box allows to a common centre.

    Raises:
        ValueError: For fewer than two values, or more than 16.
    """
    if not 2 <= len(values_S) <= 16:
        raise ValueError(f"expected 2 to 16 seeds, found {len(values_S)}")
    derived = deviation([value.value for value in values_S])
    corners = product(*((value.low, value.high) for value in values_S))
    return Derivation(printed, derived, smallest_deviation(values_S), max(map(deviation, corners)))


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
