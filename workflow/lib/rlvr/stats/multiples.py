"""Printed percentages as counts: which sample size fits a column, which deviations whole counts can have."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rlvr.stats.derivations import Printed
from rlvr.stats.familywise import chance_of_at_least

HUNDRED = 100  # percent


def is_multiple(printed: Printed, size: int) -> bool:
    """Whether some whole count of ``size`` is printed so, in percent.

    SOURCE: the GRIM test (Brown and Heathers 2017): a mean of whole numbers is a multiple of 1 / n.
    """
    low, high = printed.low, printed.high
    smallest = -(
        -low.numerator * size // (low.denominator * HUNDRED)
    )  # a count; whole numbers, since this is the inner loop
    return smallest * HUNDRED * high.denominator <= high.numerator * size


def chance_of_fit(printed: Printed, size: int) -> float:
    """Share of prints of the same precision that are multiples of 1 / ``size``, around any number.

    A print stands for an interval of a certain width, multiples are ``100 / size`` apart.
    """
    return min(1.0, float(printed.high - printed.low) * size / HUNDRED)


@dataclass(frozen=True)
class Fit:
    """How well a sample size explains a column.

    Attributes:
        size: Number of answers, n.
        fitting: How many of the distinct numbers are multiples of 1 / n.
        expected: How many would be by chance.
        probability: Of at least so many by chance, times the number of sizes that were tried; at most 1.
        misfits: Places in the column of those that are no multiples.
    """

    size: int
    fitting: int
    expected: float
    probability: float
    misfits: tuple[int, ...]


def fit_of(column: Sequence[Printed], size: int, tried: int = 1) -> Fit:
    """Judge one sample size.

    Args:
        column: Printed percentages, each number once.
        size: The sample size.
        tried: How many sizes are tried, for the correction of the probability (Bonferroni).
    """
    misfits = tuple(place for place, printed in enumerate(column) if not is_multiple(printed, size))
    chances = [chance_of_fit(printed, size) for printed in column]
    fitting = len(column) - len(misfits)
    return Fit(size, fitting, sum(chances), min(1.0, tried * chance_of_at_least(chances, fitting)), misfits)


def best_fit(column: Sequence[Printed], sizes: Iterable[int]) -> Fit:
    """The sample size whose fits are least likely by chance; the smallest one of equals."""
    sizes = list(sizes)
    return min((fit_of(column, size, len(sizes)) for size in sizes), key=lambda fit: (fit.probability, fit.size))


def deviations_of_counts(mean: Printed, near: Printed, size: int, seeds: int, ddof: int) -> list[float]:
    """Standard deviations near a printed one that whole counts with a printed mean can have, in percent.

    SOURCE: the idea of SPRITE and of the GRIMMER test (Anaya 2016): counts of ``size`` over few seeds leave only
    certain pairs of mean and deviation.

    Args:
        mean: The printed mean, in percent.
        near: The printed deviation; only sums of squares that round to it are kept.
        size: Number of answers of each seed.
        seeds: Number of seeds, 2 to 4.
        ddof: 1 divides by n - 1, 0 by n.

    Raises:
        ValueError: For another number of seeds.
    """
    if not 2 <= seeds <= 4:
        raise ValueError(f"expected 2 to 4 seeds, found {seeds}")
    step = Fraction(HUNDRED, size)
    totals = range(math.ceil(mean.low * seeds / step), math.floor(mean.high * seeds / step) + 1)
    # Bounds of the sum of squares, in counts; in whole numbers once distances are counted in parts of 1 / seeds.
    low, high = (float(max(end, Fraction(0)) / step) ** 2 * (seeds - ddof) for end in (near.low, near.high))
    bounds = (math.ceil((low - 1e-9) * seeds**2), math.floor((high + 1e-9) * seeds**2))
    found = {squares for total in totals for squares in _sums_of_squares(total, seeds, size, bounds)}
    return sorted(float(step) * math.sqrt(squares / (seeds - ddof)) / seeds for squares in found)


def _sums_of_squares(total: int, seeds: int, size: int, bounds: tuple[int, int]) -> set[int]:
    """Sums within bounds of squared distances from their mean that whole counts with one total can have.

    Distances are counted in parts of ``1 / seeds``, so that they are whole numbers.
    """
    reach = math.isqrt(bounds[1]) // seeds + 1
    first, last = max(0, total // seeds - reach), min(size, -(-total // seeds) + reach)
    steps = [(count, (seeds * count - total) ** 2) for count in range(first, last + 1)]
    sums = {(0, 0)}
    for _ in range(seeds - 1):
        sums = {
            (partial + count, squares + square)
            for partial, squares in sums
            for count, square in steps
            if squares + square <= bounds[1]
        }
    whole = {
        squares + (seeds * (total - partial) - total) ** 2
        for partial, squares in sums
        if first <= total - partial <= last
    }
    return {squares for squares in whole if bounds[0] <= squares <= bounds[1]}
