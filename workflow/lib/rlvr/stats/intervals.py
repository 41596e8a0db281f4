"""Intervals for means over problems and over seeds.

Problems: a share of right answers, from k samples of each of n problems. Seeds: Student's t, since there are two or
three, where a bootstrap of so few values is far too narrow.
"""

import math
from typing import NamedTuple

import numpy as np

FEW_SUCCESSES = 3.5  # SOURCE: Brown, Cai and DasGupta 2001: 1 to 3 get the Poisson bound
PRIOR_PROBLEMS = 1.0  # weight of the prior in the correlation of a problem's samples; see `effective_size`


class Interval(NamedTuple):
    """A closed interval."""

    low: float
    high: float


def problem_mean(values_P: np.ndarray, samples: int = 1, level: float = 0.95) -> Interval:
    """Interval for the accuracy over all problems of which a benchmark's are a sample.

    The modified Wilson interval, for as many independent answers as the samples of all problems are worth. It never has
    the width 0, never leaves [0, 1], and needs no random numbers. Its level holds from 5 problems on, for any number of
    samples and any accuracy (`make bench BENCH=intervals`); where fewer than two problems are expected to be solved
    (or to be missed), whole numbers allow no interval to keep to 95 %, and this one covers more as a rule.

    SOURCE: Wilson 1927, with the lower end for few successes of Brown, Cai and DasGupta 2001, section 4.1.1; for
    clustered samples with the effective size as in Korn and Graubard 1998.

    Args:
        values_P: Share of right samples of each problem, shape (P,), between 0 and 1.
        samples: k, independent samples behind each value; 1 for values that are 0 or 1, as those of Pass@k and maj@k.
        level: Share of such intervals that hold the accuracy.

    Raises:
        ValueError: If there is no value, or one is not between 0 and 1.
    """
    values = np.asarray(values_P, dtype=float)
    if values.size == 0 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("an interval over problems needs at least one value, all of them between 0 and 1")
    share, size = float(values.mean()), effective_size(values, samples)
    low = _lower_end(share, size, level)
    return Interval(min(low, share), max(1 - _lower_end(1 - share, size, level), share))


def effective_size(values_P: np.ndarray, samples: int) -> float:
    """Number of independent answers that k samples of each of n problems are worth: from n to n k.

    ``n k / (1 + (k - 1) rho)`` with the correlation rho of the samples of one problem (Kish 1965).

    Args:
        values_P: Share of right samples of each problem, shape (P,).
        samples: k.
    """
    problems = len(values_P)
    return problems * samples / (1 + (samples - 1) * sample_correlation(values_P, samples))


def sample_correlation(values_P: np.ndarray, samples: int) -> float:
    """Correlation rho, between 0 and 1, of the samples of one problem; 1 where nothing tells (k = 1, one problem).

    By analysis of variance. As many problems tell of rho as are solved, or missed, whichever is rarer, twice over; to
    them one problem is added whose samples are all alike (rho = 1), so that a benchmark that is all right or all wrong
    counts n answers.

    Args:
        values_P: Share of right samples of each problem, shape (P,).
        samples: k.
    """
    values, problems = np.asarray(values_P, dtype=float), len(values_P)
    if samples == 1 or problems == 1:
        return 1.0
    between = samples * values.var(ddof=1)
    within = float((values * (1 - values)).mean()) * samples / (samples - 1)
    total = between + (samples - 1) * within
    found = min(max((between - within) / total, 0.0), 1.0) if total > 0 else 1.0
    telling = 2 * problems * min(values.mean(), 1 - values.mean())
    return float((telling * found + PRIOR_PROBLEMS) / (telling + PRIOR_PROBLEMS))


def _lower_end(share: float, size: float, level: float) -> float:
    """Lower end of the modified Wilson interval of a share of so many answers; neither must be whole."""
    from scipy.special import chdtri, ndtri  # the distributions alone: scipy.stats takes half a second to import

    if (successes := share * size) == 0:
        return 0.0
    z2 = float(ndtri((1 + level) / 2)) ** 2
    half = math.sqrt(z2 * share * (1 - share) / size + (z2 / (2 * size)) ** 2)
    wilson = (share + z2 / (2 * size) - half) / (1 + z2 / size)
    if successes >= min(FEW_SUCCESSES, size / 2):
        return wilson
    # A Poisson bound on one side: with so few successes, the other side cannot miss.
    return float(min(wilson, chdtri(2 * successes, level) / (2 * size)))


def seed_mean(values_S: np.ndarray, level: float = 0.95) -> Interval:
    """Student's t interval of the mean over seeds.

    ASSUME: results of different seeds are close to normal; with collapsed runs among them they are not, and the
    interval is honest only in being wide. It is not clipped to the quantity's range.

    Raises:
        ValueError: If there are fewer than two seeds: one run has no spread.
    """
    from scipy.special import stdtrit

    values = np.asarray(values_S, dtype=float)
    if values.size < 2:
        raise ValueError(f"an interval over seeds needs at least 2 of them, found {values.size}")
    half = float(stdtrit(values.size - 1, (1 + level) / 2)) * values.std(ddof=1) / math.sqrt(values.size)
    return Interval(float(values.mean() - half), float(values.mean() + half))
