"""How well one number foretells another by a monotone line, judged on seeds that the line has not seen.

The model is isotonic regression (Barlow et al., 1972): the rising or falling step function with the least squared
error. It has no parameter to choose, takes any monotone relation whatever its units, and cannot follow a relation that
turns. Errors are those of cross-validation over seeds: the line is fitted on all seeds but one and foretells that one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A monotone line through knots, constant beyond them.

    Attributes:
        x_K: Places of the knots, ascending.
        y_K: Values there, all rising or all falling.
    """

    x_K: Floats
    y_K: Floats

    def at(self, x_N: Floats) -> Floats:
        """Values at these places: on the straight line between two knots, that of the last knot beyond it."""
        return np.interp(x_N, self.x_K, self.y_K)


def fit_line(x_N: Floats, y_N: Floats) -> Line:
    """Fit the monotone line with the least squared error.

    It rises or falls as Spearman's rank correlation of the points does. Points with equal ``x`` count as one, their
    mean, with their number as its weight.

    Args:
        x_N: Predictor, finite.
        y_N: What it foretells, finite.

    Raises:
        ValueError: If there is no point, or the sizes differ.
    """
    from scipy.optimize import isotonic_regression

    if len(x_N) != len(y_N) or len(x_N) == 0:
        raise ValueError(f"cannot fit a line through {len(x_N)} places and {len(y_N)} values")
    x_K, places_N = np.unique(x_N, return_inverse=True)
    counts_K = np.bincount(places_N).astype(float)
    means_K = np.bincount(places_N, weights=y_N) / counts_K
    rising = rank_correlation(x_N, y_N) >= 0
    return Line(x_K, isotonic_regression(means_K, weights=counts_K, increasing=bool(rising)).x)


def rank_correlation(x_N: Floats, y_N: Floats) -> float:
    """Spearman's rank correlation with mean ranks for ties; 0 where either side is constant."""
    ranks = [_mean_ranks(values) for values in (x_N, y_N)]
    first_N, second_N = (each - each.mean() for each in ranks)
    norm = float(np.sqrt((first_N**2).sum() * (second_N**2).sum()))
    return float(first_N @ second_N) / norm if norm > 0 else 0.0


def _mean_ranks(values_N: Floats) -> Floats:
    _, places_N, counts_K = np.unique(values_N, return_inverse=True, return_counts=True)
    return (np.cumsum(counts_K) - (counts_K - 1) / 2)[places_N]


def explained_share(x_N: Floats, y_N: Floats, seeds_N: Sequence[int] | NDArray[np.int64]) -> float:
    """Share of the variance that a monotone line explains on seeds that it was not fitted on.

    ``1 - sum (y - line)^2 / sum (y - mean)^2``; line and mean are those of all other seeds, so that a useless predictor
    has a share of about zero or below. NaN where there are fewer than two seeds, or nothing varies.

    Args:
        x_N: Predictor.
        y_N: What it foretells.
        seeds_N: Seed of each point.
    """
    seeds = np.asarray(seeds_N)
    missed = spread = 0.0
    if len(np.unique(seeds)) < 2:
        return float("nan")
    for seed in np.unique(seeds):
        held = seeds == seed
        missed += float(((y_N[held] - fit_line(x_N[~held], y_N[~held]).at(x_N[held])) ** 2).sum())
        spread += float(((y_N[held] - y_N[~held].mean()) ** 2).sum())
    return 1 - missed / spread if spread > 0 else float("nan")


@dataclass(frozen=True)
class Explained:
    """What a predictor explains beside a first one, with 95 % intervals over settings.

    Attributes:
        share: Explained share, from minus infinity to 1.
        low: Lower end of its interval.
        high: Upper end.
        ahead: Share less that of the first predictor, on the points that have both.
        ahead_low: Lower end of its interval.
        ahead_high: Upper end.
    """

    share: float
    low: float
    high: float
    ahead: float
    ahead_low: float
    ahead_high: float


def compare_predictors(
    x_PN: Floats, y_N: Floats, seeds_N: Sequence[int], settings_N: Sequence[str], draws: int = 400, seed: int = 0
) -> list[Explained]:
    """Explained shares of several predictors of the same points, and how far each is ahead of the first one.

    Intervals are percentiles over draws of settings with replacement, each with all of its seeds: what other ranks,
    rates and batches of the same kind would have given. All predictors see the same draws.

    Args:
        x_PN: One row per predictor.
        y_N: What they foretell.
        seeds_N: Seed of each point.
        settings_N: Name of what points have in common that differ in their seed only.
        draws: Number of draws.
        seed: Of the random numbers.
    """
    seeds, names = np.asarray(seeds_N), np.asarray(settings_N)
    own_P = _shares(x_PN, y_N, seeds)
    points = [np.flatnonzero(names == name) for name in dict.fromkeys(settings_N)]
    rng = np.random.default_rng(seed)
    drawn_DP = np.array(
        [
            _shares(x_PN[:, chosen], y_N[chosen], seeds[chosen])
            for chosen in (
                np.concatenate([points[place] for place in rng.integers(len(points), size=len(points))])
                for _ in range(draws)
            )
        ]
    )
    ahead_DP = drawn_DP - drawn_DP[:, :1]
    return [
        Explained(
            float(own_P[place]),
            *_interval(drawn_DP[:, place]),
            float(own_P[place] - own_P[0]),
            *_interval(ahead_DP[:, place]),
        )
        for place in range(len(x_PN))
    ]


def _shares(x_PN: Floats, y_N: Floats, seeds_N: NDArray[np.int64]) -> Floats:
    return np.array([explained_share(x_N, y_N, seeds_N) for x_N in x_PN])


def _interval(values_D: Floats) -> tuple[float, float]:
    known = values_D[~np.isnan(values_D)]
    if len(known) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
