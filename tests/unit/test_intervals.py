"""Intervals against closed forms, tables and their own promise."""

import math

import numpy as np
import pytest

from rlvr.core.seeds import make_rng
from rlvr.stats.intervals import bootstrap_mean, seed_mean, t_mass, t_quantile, wilson
from rlvr.stats.verdicts import verdict


def test_bootstrap_equals_the_slow_resampling_in_distribution() -> None:
    values = make_rng(0, "values").random(40)
    rng = make_rng(0, "slow")
    slow = np.quantile([rng.choice(values, 40).mean() for _ in range(20_000)], [0.025, 0.975])
    assert bootstrap_mean(values, make_rng(0, "fast"), 20_000) == pytest.approx(slow, abs=0.003)


def test_bootstrap_of_equal_values_is_a_point() -> None:
    assert bootstrap_mean(np.full(7, 0.25), make_rng(0), 100) == (0.25, 0.25)


def test_bootstrap_repeats_with_its_generator() -> None:
    values = np.arange(10.0)
    assert bootstrap_mean(values, make_rng(1), 50) == bootstrap_mean(values, make_rng(1), 50)
    assert bootstrap_mean(values, make_rng(1), 50) != bootstrap_mean(values, make_rng(2), 50)


def test_bootstrap_covers_the_mean() -> None:
    covered = 0
    for trial in range(300):
        rng = make_rng(trial, "coverage")
        low, high = bootstrap_mean(rng.random(256) < 0.3, rng, 400)
        covered += low <= 0.3 <= high
    assert 0.90 <= covered / 300 <= 0.985


def test_bootstrap_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        bootstrap_mean(np.array([]), make_rng(0), 10)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.706204736), (2, 4.302652730), (3, 3.182446305), (10, 2.228138852), (30, 2.042272456)],
)
def test_t_quantile_equals_the_printed_tables(freedom: int, quantile: float) -> None:
    assert t_quantile(0.95, freedom) == pytest.approx(quantile, abs=1e-8)


def test_t_mass_equals_numeric_integration() -> None:
    for freedom in range(1, 9):
        scale = math.gamma((freedom + 1) / 2) / (math.sqrt(freedom * math.pi) * math.gamma(freedom / 2))
        grid = np.linspace(-1.7, 1.7, 200_001)
        density = scale * (1 + grid**2 / freedom) ** (-(freedom + 1) / 2)
        integral = ((density[1:] + density[:-1]) / 2).sum() * (grid[1] - grid[0])
        assert t_mass(1.7, freedom) == pytest.approx(integral, abs=1e-9)


def test_t_approaches_the_normal_distribution() -> None:
    assert t_quantile(0.95, 100_000) == pytest.approx(1.959964, abs=1e-4)


def test_interval_over_three_seeds() -> None:
    half = 4.302652730 * 2 / math.sqrt(3)
    assert seed_mean(np.array([1.0, 3.0, 5.0])) == pytest.approx((3 - half, 3 + half))


def test_one_seed_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        seed_mean(np.array([1.0]))


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (128, 256)])
def test_wilson_ends_are_where_the_score_test_rejects(successes: int, trials: int) -> None:
    share = successes / trials
    low, high = wilson(successes, trials)
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(share - end) / math.sqrt(end * (1 - end) / trials) == pytest.approx(1.959964, abs=1e-5)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_impossible_counts(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="trials"):
        wilson(successes, trials)


@pytest.mark.parametrize(
    ("value", "low", "high", "printed", "expected"),
    [
        (84.02, 84.02, 84.02, "84.0", "agrees"),
        (84.06, 84.06, 84.06, "84.0", "differs"),
        (84.06, 84.06, 84.06, "84", "agrees"),
        (80.0, 76.0, 83.96, "84.0", "agrees"),
        (80.0, 76.0, 83.9, "84.0", "differs"),
        (84.0, 85.0, 86.0, "84.0", "agrees"),
        (0.0, -1.0, 1.0, "-1.4", "differs"),
    ],
)
def test_agreement(value: float, low: float, high: float, printed: str, expected: str) -> None:
    assert verdict(value, low, high, printed) == expected


def test_agreement_refuses_an_interval_upside_down() -> None:
    with pytest.raises(ValueError, match="interval"):
        verdict(1.0, 2.0, 0.0, "1")
