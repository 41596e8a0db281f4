"""Whether a printed difference is more than chance, from what is printed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev, variance


@dataclass(frozen=True)
class Test:
    """A two-sided test of no difference: its statistic (z or t) and the probability of at least so large a one."""

    statistic: float
    probability: float


def compare_shares(first: float, first_size: int, second: float, second_size: int) -> Test:
    """Two printed percentages of two samples: z of the two-proportion test with the pooled share.

    The answers count as independent: that both runs answered the same problems is not in a printed percentage, nor is
    the chance of training. The one makes the test too strict, the other too lenient.

    Args:
        first: In percent; taken to the nearest whole count.
        first_size: Number of answers.
        second: In percent.
        second_size: Number of answers.
    """
    counts = (round(first * first_size / 100), round(second * second_size / 100))
    pooled = sum(counts) / (first_size + second_size)
    if pooled in (0, 1):
        return Test(0.0, 1.0)
    error = math.sqrt(pooled * (1 - pooled) * (1 / first_size + 1 / second_size))
    z = (counts[0] / first_size - counts[1] / second_size) / error
    return Test(z, math.erfc(abs(z) / math.sqrt(2)))


def compare_seeds(first_S: Sequence[float], second_S: Sequence[float], paired: bool = False) -> Test:
    """Two sets of seeds: Welch's t, or Student's t of the differences if the seeds are paired.

    Raises:
        ValueError: For fewer than two seeds on a side, or pairs of unequal numbers.
    """
    if min(len(first_S), len(second_S)) < 2 or (paired and len(first_S) != len(second_S)):
        raise ValueError(f"cannot compare {len(first_S)} with {len(second_S)} seeds")
    if paired:
        differences = [one - two for one, two in zip(first_S, second_S, strict=True)]
        return _t_test(mean(differences), variance(differences) / len(differences), len(differences) - 1)
    one, two = (Summary(mean(values_S), stdev(values_S), len(values_S)) for values_S in (first_S, second_S))
    if one.deviation == two.deviation == 0:
        return _t_test(one.mean - two.mean, 0.0, 1.0)
    return compare_summaries(one, two)


@dataclass(frozen=True)
class Summary:
    """Seeds of which a paper prints the mean and the standard deviation (n - 1) alone."""

    mean: float
    deviation: float
    seeds: int


def compare_summaries(first: Summary, second: Summary) -> Test:
    """Two printed means with their deviations: Welch's t.

    Raises:
        ValueError: For fewer than two seeds on a side, or two deviations of zero.
    """
    if min(first.seeds, second.seeds) < 2:
        raise ValueError(f"cannot compare {first.seeds} with {second.seeds} seeds")
    if first.deviation == second.deviation == 0:
        raise ValueError("both deviations are zero")
    squares = [side.deviation**2 / side.seeds for side in (first, second)]
    terms = [square**2 / (side.seeds - 1) for square, side in zip(squares, (first, second), strict=True)]
    return _t_test(first.mean - second.mean, sum(squares), sum(squares) ** 2 / sum(terms))


def _t_test(difference: float, squared_error: float, freedom: float) -> Test:
    """Student's t of a difference; without any spread, equal is equal and different is different."""
    from scipy.special import stdtr  # the distribution alone: scipy.stats takes seconds to import

    if squared_error == 0:
        return Test(math.copysign(math.inf, difference) if difference else 0.0, 0.0 if difference else 1.0)
    t = difference / math.sqrt(squared_error)
    return Test(t, 2 * float(stdtr(freedom, -abs(t))))
