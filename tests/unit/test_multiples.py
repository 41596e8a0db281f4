"""Percentages as counts, and tests of printed differences, against slow obvious versions and known values."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rlvr.core.seeds import make_rng
from rlvr.stats.derivations import Printed
from rlvr.stats.multiples import best_fit, chance_of_fit, deviations_of_counts, fit_of, is_multiple
from rlvr.stats.significance import compare_seeds, compare_shares


def read(*texts: str) -> list[Printed]:
    return [Printed.read(text) for text in texts]


@given(st.integers(1, 2000), st.integers(0, 1000), st.integers(1, 2))
def test_a_count_is_always_a_multiple(size: int, tenths: int, decimals: int) -> None:
    share = 100 * round(size * tenths / 1000) / size
    assert is_multiple(Printed.read(f"{share:.{decimals}f}"), size)


@given(st.integers(1, 400), st.integers(0, 1000))
def test_multiples_are_those_that_some_count_is_printed_as(size: int, tenths: int) -> None:
    printed = Printed.read(f"{tenths / 10:.1f}")
    slow = any(printed.low <= Printed.exact(100 * count).value / size <= printed.high for count in range(size + 1))
    assert is_multiple(printed, size) == slow


def test_chance_of_a_fit_is_the_share_of_prints_that_fit() -> None:
    prints = [Printed.read(f"{tenths / 10:.1f}") for tenths in range(1000)]
    for size in (30, 256):
        assert chance_of_fit(prints[0], size) == pytest.approx(
            np.mean([is_multiple(p, size) for p in prints]), abs=0.01
        )


# SOURCE: "Structure Over Scale": accuracies on DeepMath-Hard (tables 4, 5, 11, 13, 16, 1) and on Skywork-Hard (5, 14).
DEEPMATH = (
    "78.1 76.2 77.3 73.1 4.7 2.3 81.9 84.0 80.9 75.0 76.6 62.5 77.0 60.9 78.5 79.3 64.5 80.1 63.7 65.2 79.7 3.5 3.9 2.7"
)
SKYWORK = "19.0 15.2 16.9 17.0 19.4 15.9 13.2 21.4 19.6 11.2 18.5 14.5 21.7"


def test_sample_size_of_a_real_column() -> None:
    column = read(*DEEPMATH.split())
    fit = best_fit(column, range(50, 1001))
    assert (fit.size, fit.fitting, len(column)) == (256, 22, 24)
    assert [DEEPMATH.split()[place] for place in fit.misfits] == ["73.1", "81.9"]
    assert fit.probability < 1e-6
    assert fit_of(read(*SKYWORK.split()), 256).fitting == 2
    assert best_fit(read(*SKYWORK.split()), range(50, 1001)).probability > 0.5


def test_random_numbers_have_no_sample_size_and_counts_have_theirs() -> None:
    rng = make_rng(0, "sizes")
    found = 0
    for _ in range(20):
        numbers = read(*(f"{value:.1f}" for value in rng.uniform(0, 100, 15)))
        found += best_fit(numbers, range(50, 501)).probability < 0.05
    assert found <= 3
    counts = read(*(f"{100 * count / 147:.1f}" for count in rng.integers(0, 148, 15)))
    assert best_fit(counts, range(50, 501)).size == 147


def test_probability_of_a_fit_is_that_of_a_simulation() -> None:
    column = read(*DEEPMATH.split()[:8])
    fit = fit_of(column, 200)
    draws = make_rng(1, "fits").uniform(size=(20000, 8)) < chance_of_fit(column[0], 200)
    assert fit.probability == pytest.approx((draws.sum(axis=1) >= fit.fitting).mean(), abs=0.02)


@pytest.mark.parametrize(("ddof", "spread"), [(0, "2.7"), (1, "3.3"), (1, "5.8"), (0, "4.7"), (0, "40")])
def test_deviations_of_counts_are_those_of_all_triples(ddof: int, spread: str) -> None:
    size, mean, near = 30, Printed.read("30.0"), Printed.read(spread)
    slow = set()
    for triple in product(range(size + 1), repeat=3):
        values = 100 * np.array(triple) / size
        found = values.std(ddof=ddof)
        if mean.low <= values.mean() <= mean.high and near.low - 1e-9 <= found <= near.high + 1e-9:
            slow.add(round(found, 9))
    assert [round(value, 9) for value in deviations_of_counts(mean, near, size, 3, ddof)] == sorted(slow)
    assert slow


@pytest.mark.parametrize(("first", "second"), [(78.1, 76.2), (73.1, 4.7), (0.0, 0.0), (100.0, 0.0)])
def test_two_shares_against_the_chi_square_test(first: float, second: float) -> None:
    counts = np.round(np.array([first, second]) * 2.56)
    test = compare_shares(first, 256, second, 256)
    if first == second:
        assert test.probability == 1
        return
    expected = stats.chi2_contingency(np.array([counts, 256 - counts]), correction=False)
    assert (test.statistic**2, test.probability) == pytest.approx((expected.statistic, expected.pvalue))
    assert test.statistic > 0


@pytest.mark.filterwarnings("ignore:Precision loss")
@given(st.lists(st.integers(0, 100), min_size=3, max_size=3), st.lists(st.integers(0, 100), min_size=2, max_size=4))
def test_seeds_against_scipy(first: list[int], second: list[int]) -> None:
    test = compare_seeds(first, second)
    expected = stats.ttest_ind(first, second, equal_var=False)
    if np.isfinite(expected.pvalue):
        assert (test.statistic, test.probability) == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)
    paired = compare_seeds(first, [*second, 1, 2][:3], paired=True)
    expected = stats.ttest_rel(first, [*second, 1, 2][:3])
    if np.isfinite(expected.statistic):
        assert paired.probability == pytest.approx(expected.pvalue, abs=1e-9)


def test_seeds_without_spread_and_too_few() -> None:
    assert compare_seeds([1, 1], [1, 1]).probability == 1
    assert compare_seeds([1, 1], [2, 2]).probability == 0
    with pytest.raises(ValueError, match="cannot compare"):
        compare_seeds([1], [2, 3])
    with pytest.raises(ValueError, match="cannot compare"):
        compare_seeds([1, 2, 3], [2, 3], paired=True)
