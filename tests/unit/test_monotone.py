"""Monotone lines: against a slow search, on closed forms, and what cross-validation over seeds promises."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.stats.monotone import compare_predictors, explained_share, fit_line, rank_correlation

VALUES = st.lists(st.integers(-5, 5), min_size=2, max_size=6)


def slow_least_error(y, rising):
    """Least squared error of all monotone step functions: every division into consecutive blocks of equal value."""
    best = np.inf
    for cuts in itertools.product([False, True], repeat=len(y) - 1):
        starts = [0, *(place + 1 for place, cut in enumerate(cuts) if cut), len(y)]
        blocks = [y[first:last] for first, last in itertools.pairwise(starts)]
        means = [block.mean() for block in blocks]
        if means == sorted(means, reverse=not rising):
            errors = [((block - mean) ** 2).sum() for block, mean in zip(blocks, means, strict=True)]
            best = min(best, sum(errors))
    return best


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_no_monotone_line_has_a_smaller_error(values):
    y = np.array(values, dtype=float)
    x = np.arange(len(y), dtype=float)
    line = fit_line(x, y)
    assert ((line.at(x) - y) ** 2).sum() == pytest.approx(slow_least_error(y, rank_correlation(x, y) >= 0))


def test_equal_places_count_as_their_mean_with_its_weight():
    line = fit_line(np.array([1.0, 1.0, 2.0, 3.0, 3.0, 3.0]), np.array([0.0, 2.0, 8.0, 4.0, 5.0, 6.0]))
    np.testing.assert_allclose(line.at(np.array([0.0, 1.0, 1.5, 2.0, 3.0, 9.0])), [1, 1, 3.375, 5.75, 5.75, 5.75])


def test_rank_correlation_is_that_of_mean_ranks():
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0])) == pytest.approx(-1)
    assert rank_correlation(np.array([1.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(
        np.corrcoef([1.5, 1.5, 3, 4], [1, 2, 3, 4])[0, 1]
    )
    assert rank_correlation(np.ones(3), np.arange(3.0)) == 0


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=4, max_size=12), st.floats(0.5, 4))
@settings(max_examples=50, deadline=None)
def test_explained_share_has_no_unit_and_is_at_most_one(points, factor):
    x, y = np.round(np.array(points).T, 3)
    seeds = np.arange(len(x)) % 2
    share = explained_share(x, y, seeds)
    if not np.isnan(share):
        assert share <= 1
        assert explained_share(factor * x, factor * y, seeds) == pytest.approx(share, rel=1e-6, abs=1e-6)


def test_a_perfect_predictor_explains_all_and_noise_nothing():
    rng = np.random.default_rng(1)
    truth = np.repeat(rng.normal(size=30), 3)
    seeds = np.tile([42, 43, 44], 30)
    y = 50 + 20 * truth
    assert explained_share(np.exp(truth), y, seeds) == pytest.approx(1)
    noise = [explained_share(rng.normal(size=90), y, seeds) for _ in range(40)]
    assert np.mean(noise) < 0.05
    named = [str(setting) for setting in np.repeat(np.arange(30), 3)]
    good, bad = compare_predictors(np.array([truth, rng.normal(size=90)]), y, seeds, named, draws=100)
    assert good.low > 0.95 and good.ahead == good.ahead_low == good.ahead_high == 0
    assert bad.ahead_high < -0.5


def test_seeds_are_left_out_whole():
    """A line that knows each seed's own level would look perfect if points of the seed were among the fitted ones."""
    x = np.array([0.0, 1.0, 10.0, 11.0])
    y = np.array([0.0, 0.0, 100.0, 100.0])
    assert explained_share(x, y, np.array([1, 1, 2, 2])) <= 0
    assert explained_share(x, y, np.array([1, 2, 1, 2])) > 0.9
    assert np.isnan(explained_share(x, y, np.array([1, 1, 1, 1])))


def test_no_points_are_refused():
    with pytest.raises(ValueError, match="0 places"):
        fit_line(np.array([]), np.array([]))
