"""Intervals for means and shares; three sources of chance, three intervals.

Problems: percentile bootstrap, since a benchmark has many and their values are anything but normal. Seeds: Student's t,
since there are two or three, where a bootstrap of so few values is far too narrow. One share of n trials: Wilson.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A closed interval."""

    low: float
    high: float


def bootstrap_mean(values_P: np.ndarray, rng: np.random.Generator, resamples: int, level: float = 0.95) -> Interval:
    """Percentile interval of the mean over problems.

    Args:
        values_P: One value for each problem, shape (P,).
        rng: Source of the resamples.
        resamples: How many, each of P problems drawn with replacement.
        level: Share of the resampled means inside the interval.

    Raises:
        ValueError: If there is no value.
    """
    values = np.asarray(values_P, dtype=float)
    if values.size == 0:
        raise ValueError("no values to resample")
    counts_RP = rng.multinomial(values.size, np.full(values.size, 1 / values.size), size=resamples)
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(counts_RP @ values / values.size, tails)
    return Interval(float(low), float(high))


def seed_mean(values_S: np.ndarray, level: float = 0.95) -> Interval:
    """Student's t interval of the mean over seeds.

    ASSUME: results of different seeds are close to normal; with collapsed runs among them they are not, and the
    interval is honest only in being wide. It is not clipped to the quantity's range.

    Raises:
        ValueError: If there are fewer than two seeds: one run has no spread.
    """
    values = np.asarray(values_S, dtype=float)
    if values.size < 2:
        raise ValueError(f"an interval over seeds needs at least 2 of them, found {values.size}")
    half = t_quantile(level, values.size - 1) * values.std(ddof=1) / math.sqrt(values.size)
    return Interval(float(values.mean() - half), float(values.mean() + half))


def wilson(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share: never leaves [0, 1], holds its level also near 0 and 1.

    Raises:
        ValueError: If there is no trial, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} successes of {trials} trials")
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    share = successes / trials
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = math.sqrt(z2 * share * (1 - share) / trials + z2**2 / (4 * trials**2)) / (1 + z2 / trials)
    return Interval(max(centre - half, 0.0), min(centre + half, 1.0))


def t_quantile(level: float, freedom: int) -> float:
    """The t for which Student's distribution holds ``level`` between -t and t, to 12 digits."""
    low, high = 0.0, 1.0
    while t_mass(high, freedom) < level:
        high *= 2
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if t_mass(middle, freedom) < level else (low, middle)
    return (low + high) / 2


def t_mass(t: float, freedom: int) -> float:
    """Mass of Student's distribution between -t and t.

    SOURCE: Abramowitz and Stegun 1964, 26.7.3 (odd) and 26.7.4 (even degrees of freedom), exact finite series.
    """
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    first, start = (sine * cosine, 2) if freedom % 2 else (sine, 1)
    total = term = first if freedom > 1 else 0.0
    for index in range(start, freedom - 2, 2):
        term *= cosine**2 * index / (index + 1)
        total += term
    return 2 / math.pi * (angle + total) if freedom % 2 else total
