"""Random draws of means over seeds and problems that keep what two means share: their seeds and their problems.

A mean over seeds and problems of one configuration is uncertain twice. Other problems of the same kind would move it,
and move another configuration's mean on the same problems in the same direction; other seeds would move it by as much
as its own seeds lie apart. Both parts are drawn with random multipliers (a multiplier bootstrap): one per problem, used
for every mean over these problems, and one per seed, used for every mean over these seeds. Differences of draws are
then paired, a largest draw is selected anew every time, and a ratio needs no formula of its own.
"""

import math
from functools import lru_cache

import numpy as np

from rlvr.core.seeds import make_rng
from rlvr.stats.intervals import Interval
from rlvr.stats.quantiles import Z95

DRAWS = 4000
CLEARLY = 0.99  # one-sided level at which a mean is no candidate for the largest


@lru_cache(maxsize=8)
def problem_multipliers(stream: str, problems: int) -> np.ndarray:
    """Standard normal multipliers of problems, shape (DRAWS, P); equal streams give equal multipliers."""
    drawn = make_rng("problems", stream, problems).standard_normal((DRAWS, problems))
    drawn.flags.writeable = False
    return drawn


def problem_scores(values_P: np.ndarray, multipliers_BP: np.ndarray, own: str) -> np.ndarray:
    """Standard normal scores, shape (B,), of a mean over problems; two means have the correlation of their values.

    Args:
        values_P: Value of each problem.
        multipliers_BP: Of the same problems.
        own: Stream of a mean whose values are all equal: nothing tells what it has in common with others.
    """
    deviations = np.asarray(values_P, dtype=float) - np.mean(values_P)
    length = float(np.linalg.norm(deviations))
    if length <= 1e-12:
        return make_rng("degenerate", own).standard_normal(len(multipliers_BP))
    return multipliers_BP @ (deviations / length)


def two_piece(value: float, interval: Interval, scores_B: np.ndarray) -> np.ndarray:
    """Deviations from ``value`` whose central 95 % end where the interval does.

    Two half normals that meet at the value, each as wide as its side of the interval: a share near 0 or 1 keeps the
    skew of Wilson's interval, and a difference of two such draws has about the interval of Newcombe's method.

    SOURCE: Newcombe 1998 and, with correlation, Zou and Donner 2008 ("MOVER") add the distances to the near ends in
    quadrature; here they are added as random numbers, so that a maximum or a ratio of several shares has one, too.
    """
    below, above = value - interval.low, interval.high - value
    return np.where(scores_B < 0, below, above) * scores_B / Z95


def seed_deviations(values_S: np.ndarray, stream: str, noise: float = 0.0) -> np.ndarray:
    """Deviations, shape (DRAWS,), of a mean over seeds from the mean over all seeds.

    Multivariate t with S - 1 degrees of freedom: multipliers ``w_s`` of the seeds, standard normal, over a common root
    of chi-square over its degrees of freedom. Its central 95 % are Student's interval, and those of a difference of
    two means over equal seeds are the paired one. The variance of ``noise`` that each value has from its problems is
    taken out, since draws over problems have it already.

    Args:
        values_S: One value for each seed; a single one has no deviations.
        stream: Names the seeds; equal streams give equal multipliers.
        noise: Variance of each value that is not due to its seed.
    """
    values = np.asarray(values_S, dtype=float)
    seeds = len(values)
    if seeds < 2 or (spread := float(values.var(ddof=1))) == 0:
        return np.zeros(DRAWS)
    rng = make_rng("seeds", stream, seeds)
    multipliers_BS = rng.standard_normal((DRAWS, seeds))
    scale_B = np.sqrt(rng.chisquare(seeds - 1, DRAWS) / (seeds - 1))
    kept = math.sqrt(max(0.0, 1 - noise / spread))
    return kept * (multipliers_BS @ (values - values.mean())) / math.sqrt(seeds * (seeds - 1)) / scale_B


def deviation_draws(values_S: np.ndarray, own: str) -> np.ndarray:
    """Draws, shape (DRAWS,), of the standard deviation (n - 1) behind values of several seeds.

    Their central 95 % are the chi-square interval, which holds for values that are close to normal.

    Args:
        values_S: One value for each seed, at least two.
        own: Stream; nothing tells what two standard deviations have in common.
    """
    values = np.asarray(values_S, dtype=float)
    freedom = len(values) - 1
    return values.std(ddof=1) * np.sqrt(freedom / make_rng("deviation", own).chisquare(freedom, DRAWS))


def selected_draws(values_M: np.ndarray, draws_MB: np.ndarray, largest: bool = True) -> np.ndarray:
    """Draws of the largest (or smallest) of several means, with the selection in them.

    The largest of several estimates is too large as a rule: it was selected for its error. It is too large by no more
    than the largest error of the candidates, so that the lower half of its draws is stretched to the 97.5 % quantile of
    that; the upper half stays as it is. Candidates are the means that are not clearly below the largest (a difference
    whose one-sided 99 % interval holds 0): one that stands out keeps its own interval.

    SOURCE: selection of candidates as in Andrews and Soares 2010, section 4.2, with a test in place of a sequence of
    thresholds.

    Args:
        values_M: The means.
        draws_MB: Draws of each.
        largest: Whether the largest is meant; otherwise the smallest.
    """
    sign = 1.0 if largest else -1.0
    values_M, draws_MB = sign * np.asarray(values_M, dtype=float), sign * np.asarray(draws_MB, dtype=float)
    best = int(np.argmax(values_M))
    reach_M = np.quantile(draws_MB - draws_MB[best], CLEARLY, axis=1)
    errors_MB = values_M[:, None] - draws_MB  # of the estimates, if the draws were the truth
    overall = float(np.quantile(errors_MB[reach_M >= 0].max(axis=0), 0.975))
    own = float(np.quantile(errors_MB[best], 0.975))
    stretch = overall / own if own > 0 else 1.0
    errors_B = errors_MB[best]
    return sign * (values_M[best] - np.where(errors_B > 0, stretch * errors_B, errors_B))


def residual_variance(values_SP: np.ndarray) -> float:
    """Variance of a value that neither its seed nor its problem explains: mean square of the residuals of both means.

    SOURCE: two-way analysis of variance without repetition, (S - 1)(P - 1) degrees of freedom. 0 for one seed or one
    problem.
    """
    values = np.asarray(values_SP, dtype=float)
    seeds, problems = values.shape
    if seeds < 2 or problems < 2:
        return 0.0
    residuals = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    return float((residuals**2).sum() / ((seeds - 1) * (problems - 1)))


def central(draws_B: np.ndarray, level: float = 0.95) -> Interval:
    """The central share of draws."""
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(draws_B, [tail, 100 - tail], method="nearest")
    return Interval(float(low), float(high))
