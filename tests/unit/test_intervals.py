"""Intervals against closed forms, tables and their own promise."""

import math

import numpy as np
import pytest

from rlvr.core.seeds import make_rng
from rlvr.stats.intervals import effective_size, problem_mean, seed_mean


@pytest.mark.parametrize(("right", "problems"), [(5, 30), (15, 30), (128, 256), (250, 256)])
def test_of_zeros_and_ones_it_is_wilsons_interval(right: int, problems: int) -> None:
    from scipy.stats import binomtest

    expected = binomtest(right, problems).proportion_ci(method="wilson")
    assert problem_mean(np.arange(problems) < right) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_with_one_solved_problem_the_lower_end_is_poissons() -> None:
    low, high = problem_mean(np.arange(30) < 1)
    assert low == pytest.approx(-math.log(0.95) / 30)  # the 5 % quantile of a waiting time: 0.05129
    assert problem_mean(np.arange(30) >= 1) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("problems", [1, 2, 5, 500])
@pytest.mark.parametrize("samples", [1, 32])
def test_it_never_has_the_width_zero(share: float, problems: int, samples: int) -> None:
    low, high = problem_mean(np.full(problems, share), samples)
    assert 0 <= low <= share <= high <= 1 and high > low


def test_samples_that_are_alike_count_once_and_independent_ones_all() -> None:
    alike = np.repeat([0.0, 1.0], 100)
    assert effective_size(alike, 32) == pytest.approx(200)
    chances = make_rng(0, "independent").binomial(32, 0.5, 2000) / 32
    assert effective_size(chances, 32) == pytest.approx(64_000, rel=0.05)
    assert effective_size(np.zeros(200), 32) == 200 == effective_size(np.ones(200), 32)
    assert effective_size(np.array([0.3]), 32) == 1


def test_more_alike_samples_make_wider_intervals() -> None:
    widths = []
    for spread in (0.0, 0.2, 0.4, 0.5):
        low, high = problem_mean(np.repeat([0.5 - spread, 0.5 + spread], 30), 8)
        widths.append(high - low)
    assert widths == sorted(widths)


@pytest.mark.parametrize("values", [[], [0.5, 1.1], [-0.1], [math.nan]])
def test_what_is_no_share_is_an_error(values: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        problem_mean(np.array(values))


CHANCES = {
    "alike": lambda accuracy, rng, shape: np.full(shape, accuracy),
    "beta": lambda accuracy, rng, shape: rng.beta(accuracy, 1 - accuracy, shape),  # a correlation of one half
}


@pytest.mark.parametrize("kind", CHANCES)
@pytest.mark.parametrize(
    ("problems", "samples", "accuracy"),
    [
        (5, 4, 0.5),
        (30, 1, 0.5),
        (30, 1, 0.1),
        (30, 4, 0.1),
        (30, 32, 0.9),
        (60, 32, 0.5),
        (60, 4, 0.05),
        (256, 4, 0.99),
    ],
)
def test_it_covers_the_accuracy(kind: str, problems: int, samples: int, accuracy: float) -> None:
    """The full simulation is `make bench BENCH=intervals`; 500 replicates leave a standard error of 1 %."""
    rng = make_rng(1, "coverage", kind, problems, samples)
    values = rng.binomial(samples, CHANCES[kind](accuracy, rng, (500, problems))) / samples
    intervals = [problem_mean(values_P, samples) for values_P in values]
    assert np.mean([low <= accuracy <= high for low, high in intervals]) >= 0.92
    if kind == "beta" and problems * min(accuracy, 1 - accuracy) >= 10:
        assert np.mean([low <= accuracy <= high for low, high in intervals]) <= 0.985


def exact_coverage(problems: int) -> np.ndarray:
    """Coverage with one sample, at accuracies of 1 to 99 %."""
    from scipy.stats import binom

    accuracies = np.arange(1, 100)[:, None] / 100
    ends = np.array([problem_mean(np.arange(problems) < solved) for solved in range(problems + 1)])
    held = (ends[:, 0] <= accuracies) & (accuracies <= ends[:, 1])
    return (binom.pmf(np.arange(problems + 1), problems, accuracies) * held).sum(axis=1)


@pytest.mark.parametrize("problems", [*range(5, 31), 60, 150, 256])
def test_its_exact_coverage_with_one_sample(problems: int) -> None:
    """At least 92 %; of 15 problems or fewer 90.9 % at worst, at 8 of 99 accuracies at most."""
    coverage = exact_coverage(problems)
    assert coverage.min() >= (0.92 if problems > 15 else 0.909)
    assert (coverage < 0.92).sum() <= (0 if problems > 15 else 8)
    assert ((coverage >= 0.92) & (coverage <= 0.98)).mean() >= (0.9 if problems > 15 else 0.6)


def test_the_rare_cases_that_a_bootstrap_missed_are_covered() -> None:
    """30 problems at 2.4 % with one sample (bootstrap: 0.47), and Pass@4 at 99.4 % (0.16)."""
    rng = make_rng(2, "rare")
    for accuracy in (0.024, 0.994):
        values = rng.random((1000, 30)) < accuracy
        covered = [low <= accuracy <= high for low, high in map(problem_mean, values)]
        assert np.mean(covered) >= 0.92


@pytest.mark.parametrize(
    ("seeds", "quantile"), [(2, 12.706204736), (3, 4.302652730), (4, 3.182446305), (11, 2.228138852)]
)
def test_the_interval_over_seeds_has_the_printed_quantiles(seeds: int, quantile: float) -> None:
    values = np.arange(float(seeds))
    half = quantile * values.std(ddof=1) / math.sqrt(seeds)
    assert seed_mean(values) == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-8)


def test_one_seed_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        seed_mean(np.array([1.0]))
