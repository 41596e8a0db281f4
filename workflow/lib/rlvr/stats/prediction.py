"""Whether another draw of the same experiment would print this number: prediction intervals.

A printed number is no constant. Repeating the experiment moves it three times over: with the seed, with the choice of
problems, and with the samples of each problem; and our own number moves likewise. The two agree where their distance is
no larger than that of two faithful repetitions in 95 of 100 cases.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

LARGEST_SCORE = 37.0  # beyond it a normal tail has no representable probability


@dataclass(frozen=True)
class Spread:
    """How far two seeds lie apart: variance of one value on the same problems, as it was found.

    Attributes:
        variance: In the square of the value's unit.
        freedom: Its degrees of freedom; infinite where it is known.
        basis: Where it comes from.
    """

    variance: float
    freedom: float
    basis: str

    def times(self, factor: float) -> "Spread":
        """The spread of values in another unit."""
        return Spread(self.variance * factor**2, self.freedom, self.basis)


@dataclass(frozen=True)
class Sampling:
    """How a share of right answers was measured.

    Attributes:
        problems: n.
        samples: k, of each problem.
        correlation: Correlation of the samples of one problem.
    """

    problems: int
    samples: int
    correlation: float

    def variance(self, share: float) -> float:
        """Variance of the mean share by the choice of problems and by sampling."""
        return share * (1 - share) * (self.correlation + (1 - self.correlation) / self.samples) / self.problems

    def between(self, share: float) -> float:
        """The part of it that is the choice of problems, and so alike for two seeds on the same problems."""
        return share * (1 - share) * self.correlation / self.problems


def pool_spread(groups: Iterable[Sequence[float]], basis: str) -> Spread | None:
    """Variance over seeds (n - 1) of several configurations, weighted by their degrees of freedom.

    Args:
        groups: Values of the seeds of each configuration; those with one seed tell nothing.
        basis: Where they come from.

    Returns:
        ``None`` where no configuration has two seeds.
    """
    usable = [np.asarray(values, dtype=float) for values in groups if len(values) > 1]
    freedom = sum(len(values) - 1 for values in usable)
    if not freedom:
        return None
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in usable)
    return Spread(squares / freedom, freedom, basis)


def share_variance(
    parts: Sequence[tuple[float, Sampling, Sampling]], spread: Spread | None, seeds: tuple[int, int] = (1, 1)
) -> tuple[float, float]:
    """Variance of the distance of two measured shares of one ability, and its degrees of freedom.

    The spread over seeds on the same problems has the sampling of every run in it, so that only the choice of problems
    is added to it; but never less than sampling alone makes, which is known. Problems of the two sides are others.

    Args:
        parts: For each benchmark of a macro average the ability, from 0 to 1, and how our share and theirs were
            measured.
        spread: Of shares over seeds; ``None`` where nothing tells.
        seeds: Runs behind our mean and behind theirs; the samples of a part are those of all of them.
    """
    squared = len(parts) ** 2
    least = sum(side.variance(share) for share, *sides in parts for side in sides) / squared
    if spread is None:
        return least, math.inf
    over_seeds = spread.variance * (1 / seeds[0] + 1 / seeds[1])
    total = over_seeds + sum(side.between(share) for share, *sides in parts for side in sides) / squared
    return max(total, least), satterthwaite([(over_seeds, spread.freedom)], total)


def satterthwaite(parts: Iterable[tuple[float, float]], total: float) -> float:
    """Degrees of freedom of a sum of variances (Satterthwaite 1946).

    Args:
        parts: The estimated ones with their degrees of freedom.
        total: The sum, known ones included.
    """
    lost = sum(variance**2 / freedom for variance, freedom in parts)
    return total**2 / lost if lost > 0 else math.inf


def normal_score(distance: float, variance: float, freedom: float) -> float:
    """The z that is as improbable as this distance: beyond 1.96 in five of a hundred repetitions.

    ``distance / sqrt(variance)`` where the variance is known; where it was estimated, Student's t translated to the
    normal score of the same probability.
    """
    from scipy.special import ndtri, stdtr

    if distance == 0:
        return 0.0
    if variance <= 0:
        return math.copysign(LARGEST_SCORE, distance)
    ratio = abs(distance) / math.sqrt(variance)
    if math.isfinite(freedom):
        tail = float(stdtr(freedom, -ratio))
        ratio = -float(ndtri(tail)) if tail > 0 else LARGEST_SCORE
    return math.copysign(min(ratio, LARGEST_SCORE), distance)


def deviation_score(ours: float, theirs: float, freedoms: tuple[int, int]) -> float:
    """The z of the ratio of two standard deviations of normal values by the F distribution; positive if ours is larger.

    Args:
        ours: Our standard deviation (n - 1).
        theirs: The printed one.
        freedoms: Seeds less one of either.
    """
    from scipy.special import fdtr, fdtrc, ndtri

    if ours == theirs:
        return 0.0
    if not ours > 0 or not theirs > 0:
        return math.copysign(LARGEST_SCORE, ours - theirs)
    quotient = (ours / theirs) ** 2
    above = float(fdtrc(freedoms[0], freedoms[1], quotient))
    below = float(fdtr(freedoms[0], freedoms[1], quotient))
    score = -float(ndtri(above)) if above < below else float(ndtri(below))
    return max(-LARGEST_SCORE, min(score, LARGEST_SCORE))


def deviation_interval(deviation: float, freedom: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of the standard deviation of normal values, by chi-square.

    >>> [round(end, 1) for end in deviation_interval(10.9, 2)]
    [5.7, 68.5]
    """
    from scipy.special import chdtri

    tail = (1 - level) / 2
    ends = (float(chdtri(freedom, share)) for share in (tail, 1 - tail))
    low, high = (deviation * math.sqrt(freedom / quantile) for quantile in ends)
    return low, high
