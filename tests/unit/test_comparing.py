"""Comparisons of cells over seeds and problems, against closed forms, loops and their own promise."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, t

from rlvr.core.seeds import make_rng
from rlvr.report.comparing import (
    Answers,
    Drawn,
    Measured,
    average,
    constant,
    draw,
    draw_deviation,
    largest,
    minus,
    ratio,
    smallest,
)
from rlvr.stats.intervals import problem_mean, seed_mean
from rlvr.stats.resampling import (
    DRAWS,
    problem_multipliers,
    problem_scores,
    residual_variance,
    seed_deviations,
    selected_draws,
    two_piece,
)

QUANTILE_ERROR = 0.07  # of an end of a simulated interval over its half width: 4,000 draws


def scalar(name: str, *values: float, seeds: tuple[int, ...] | None = None) -> Measured:
    return Measured(name, seeds or tuple(range(len(values))), np.array(values))


def scores(name: str, values_SP: np.ndarray, samples: int = 1, benchmark: str = "b") -> Measured:
    values_SP = np.asarray(values_SP, dtype=float)
    answers = Answers(benchmark, tuple(map(str, range(values_SP.shape[1]))), values_SP, samples)
    return Measured(name, tuple(range(len(values_SP))), 100 * values_SP.mean(axis=1), (answers,), 100.0)


def half_width(drawn: Drawn) -> float:
    return (drawn.estimate.high - drawn.estimate.low) / 2


@pytest.mark.parametrize("values", [(1.0, 4.0, 2.0), (5.0, 6.0, 9.0, 7.0, 7.5)])
def test_a_mean_over_seeds_has_students_interval(values: tuple[float, ...]) -> None:
    found, expected = draw(scalar("a", *values)).estimate, seed_mean(np.array(values))
    assert (found.low, found.high) == pytest.approx(expected, abs=QUANTILE_ERROR * (expected.high - expected.low))


def test_a_difference_over_equal_seeds_has_the_paired_interval() -> None:
    left, right = np.array([50.0, 62.0, 41.0, 55.0, 58.0]), np.array([48.0, 59.0, 40.0, 52.0, 57.0])
    found = minus(draw(scalar("l", *left)), draw(scalar("r", *right)))
    expected = seed_mean(left - right)
    assert (found.estimate.low, found.estimate.high) == pytest.approx(expected, abs=0.2)
    assert found.seeds == 5
    other = minus(draw(scalar("l", *left)), draw(scalar("r", *right, seeds=(5, 6, 7, 8, 9))))
    assert half_width(other) > 4 * half_width(found)


@pytest.mark.parametrize("right", [0, 1, 5, 128, 256])
def test_one_seed_has_the_interval_over_problems(right: int) -> None:
    values = np.arange(256) < right
    found, expected = draw(scores("a", [values])).estimate, problem_mean(values)
    assert (found.low, found.high) == pytest.approx([100 * end for end in expected], abs=0.2)
    assert found.high > found.low


def test_a_difference_on_equal_problems_is_paired() -> None:
    """McNemar's standard error: 10 and 30 of 256 problems are solved by one run only."""
    left, right = np.arange(256) < 160, np.r_[np.zeros(10), np.ones(246)] * (np.arange(256) < 180)
    found = minus(draw(scores("l", [left])), draw(scores("r", [right])))
    error = 100 * math.sqrt(10 + 20 - (10 - 20) ** 2 / 256) / 256
    assert found.value == pytest.approx(100 * (10 - 20) / 256)
    assert half_width(found) == pytest.approx(1.96 * error, rel=QUANTILE_ERROR)
    assert found.seeds == 1
    elsewhere = minus(draw(scores("l", [left])), draw(scores("r", [right], benchmark="other")))
    assert half_width(elsewhere) > 1.5 * half_width(found)


def test_none_and_all_of_the_problems_have_an_interval_like_wilsons() -> None:
    none, every = draw(scores("none", np.zeros((1, 256)))), draw(scores("all", np.ones((1, 256))))
    gap = minus(every, none).estimate
    assert gap.high == 100 and 97 < gap.low < 99
    assert half_width(minus(none, draw(scores("as well", np.zeros((1, 256)))))) > 1


def test_the_draws_are_those_of_a_loop() -> None:
    """The slow obvious version: one multiplier after another, for every draw."""
    rng = make_rng(0, "loop")
    values_SP = rng.binomial(4, 0.5, (3, 12)) / 4
    measured = scores("a", values_SP, samples=4)
    multipliers = problem_multipliers(measured.answers[0].stream, 12)
    interval, mean = problem_mean(values_SP.mean(axis=0), 12), values_SP.mean()
    deviations = [sum(values_SP[s, p] for s in range(3)) / 3 - mean for p in range(12)]
    length = math.sqrt(sum(deviation**2 for deviation in deviations))
    noise = residual_variance(values_SP) / 12
    seeds = seed_deviations(100 * values_SP.mean(axis=1), "0 1 2", 1e4 * noise)
    for b in range(0, DRAWS, 500):
        score = sum(multipliers[b, p] * deviations[p] for p in range(12)) / length
        side = mean - interval.low if score < 0 else interval.high - mean
        expected = 100 * (mean + score * side / 1.959963984540054) + seeds[b]
        assert draw(measured).draws_B[b] == pytest.approx(expected)


def test_the_residual_variance_is_that_of_a_loop() -> None:
    values = make_rng(1, "residual").random((3, 5))
    total = 0.0
    for s in range(3):
        for p in range(5):
            total += (values[s, p] - values[s].mean() - values[:, p].mean() + values.mean()) ** 2
    assert residual_variance(values) == pytest.approx(total / 8)
    assert residual_variance(np.add.outer(np.arange(3.0), np.arange(5.0))) == pytest.approx(0, abs=1e-12)
    assert residual_variance(values[:1]) == 0


def test_a_standard_deviation_has_the_chi_square_interval() -> None:
    values = (62.5, 76.6, 84.0)
    found = draw_deviation(scalar("a", *values)).estimate
    expected = [found.value * math.sqrt(2 / chi2.ppf(q, 2)) for q in (0.975, 0.025)]
    assert found.value == pytest.approx(10.92, abs=0.01)
    assert found.low == pytest.approx(expected[0], rel=0.03)  # 5.7 to 69
    assert found.high == pytest.approx(expected[1], rel=0.12)
    assert math.isnan(draw_deviation(scalar("a", 1.0)).value)


def test_a_ratio() -> None:
    left, right = scalar("l", 20.0, 22.0, 21.0, 19.0, 18.0), scalar("r", 10.0, 11.0, 10.5, 9.5, 9.0)
    found = ratio(draw(left), draw(right))
    assert found.value == pytest.approx(2) and np.ptp(found.draws_B) < 1e-12  # every seed has the ratio 2
    assert ratio(draw(left), constant(4)).estimate.low == pytest.approx(draw(left).estimate.low / 4)
    vague = ratio(constant(1), draw(scalar("z", -1.0, 0.0, 2.0)))
    assert vague.estimate.low == -math.inf and vague.estimate.high == math.inf


def test_a_ratio_over_nothing_is_unbounded_and_keeps_its_seeds() -> None:
    """It was measured: "not run" would be untrue, and without its seeds a single one could decide."""
    one, zero = draw(scores("one", [np.ones(4)])), draw(scalar("zero", 0.0))
    for found in (ratio(constant(1), constant(0)), ratio(one, zero)):
        assert math.isinf(found.value) and (found.estimate.low, found.estimate.high) == (-math.inf, math.inf)
    assert ratio(one, zero).seeds == 1 and ratio(one, draw(scalar("zeros", 0.0, 0.0))).seeds == 1
    assert math.isnan(ratio(constant(math.nan), zero).value)
    apart = minus(ratio(one, zero), ratio(one, zero))  # infinity less infinity is no number, and was run
    assert math.isinf(apart.value) and apart.seeds == 1 and not np.isnan(apart.draws_B).any()
    assert math.isinf(average([ratio(one, zero), ratio(constant(-1), zero)]).value)


def test_a_draw_over_nothing_has_the_sign_of_its_numerator() -> None:
    below = Drawn(2.0, np.where(np.arange(DRAWS) < DRAWS // 100, -1.0, 2.0))  # one draw in a hundred is not positive
    for sign in (1.0, -1.0):
        found = ratio(constant(sign), below)
        assert set(found.draws_B[: DRAWS // 100]) == {sign * math.inf}
        assert (found.estimate.low, found.estimate.high) == pytest.approx((sign / 2, sign / 2))


def test_constants_have_neither_interval_nor_seeds() -> None:
    gap = minus(constant(5), constant(3))
    assert gap.estimate.value == 2 and math.isnan(gap.estimate.low) and gap.seeds is None
    one = minus(draw(scalar("a", 7.0)), constant(3))
    assert one.seeds == 1 and math.isnan(one.estimate.low)
    assert math.isnan(minus(one, constant(math.nan)).value)


def test_an_average_halves_an_independent_width() -> None:
    parts = [draw(scores(name, [np.arange(400) % 2], benchmark=name)) for name in "abcd"]
    assert half_width(average(parts)) == pytest.approx(half_width(parts[0]) / 2, rel=QUANTILE_ERROR)


def test_a_largest_that_stands_out_keeps_its_interval() -> None:
    rng = make_rng(2, "stands out")
    high, *others = (draw(scores(f"{p}", [rng.random(256) < p])) for p in (0.9, 0.5, 0.4, 0.3))
    assert largest([high, *others]).estimate == high.estimate
    lowest = smallest([high, *others])
    assert lowest.estimate.value == others[-1].value
    assert half_width(lowest) == pytest.approx(half_width(others[-1]), rel=0.1)
    assert largest([high]) is high


def test_the_smallest_mirrors_the_largest() -> None:
    draws = make_rng(3, "mirror").standard_normal((3, DRAWS))
    values = np.array([0.1, 0.0, -0.1])
    mirrored = -selected_draws(-values, -draws, largest=False)
    assert np.array_equal(selected_draws(values, draws), mirrored)


# Coverage: 120 replicates leave a standard error of 2 % at 95 %; the long sweep is `make bench BENCH=comparing`.
REPLICATES = 120


def run_scores(rng: np.random.Generator, ability: float, chances_P: np.ndarray, spread: float, seeds: int) -> Measured:
    """Runs on problems of given difficulty: a seed shifts the ability, on the scale of a share."""
    shifts = rng.normal(0, spread, (seeds, 1))
    chances = np.clip(chances_P + ability + shifts, 0, 1)
    return scores(f"{ability} {rng.random()}", rng.random((seeds, len(chances_P))) < chances)


@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (5, 0.0), (5, 0.03), (5, 0.09), (3, 0.03)])
def test_a_difference_is_covered(seeds: int, spread: float) -> None:
    """256 problems; with one seed the truth is the difference of these two runs."""
    rng = make_rng(4, "difference", seeds, spread)
    held = 0
    for _ in range(REPLICATES):
        chances = rng.uniform(0.25, 0.65, 256)
        left, right = (run_scores(rng, ability, chances, spread, seeds) for ability in (0.2, 0.1))
        gap = minus(draw(left), draw(right)).estimate
        held += gap.low <= 10 <= gap.high
    assert 0.92 <= held / REPLICATES <= 0.995


@pytest.mark.parametrize("abilities", [(0.0,) * 6, (0.2, 0.2, 0.0), (0.1, 0.08, 0.06, 0.04)])
def test_a_maximum_is_covered(abilities: tuple[float, ...]) -> None:
    rng = make_rng(5, "maximum", *abilities)
    held = naive = 0
    truth = 100 * (0.45 + max(abilities))
    for _ in range(REPLICATES):
        chances = rng.uniform(0.25, 0.65, 256)
        drawn = [draw(run_scores(rng, ability, chances, 0, 1)) for ability in abilities]
        best = largest(drawn).estimate
        assert best.low <= best.value <= best.high
        held += best.low <= truth <= best.high
        chosen = max(drawn, key=lambda each: each.value).estimate
        naive += chosen.low <= truth <= chosen.high
    assert held / REPLICATES >= 0.93
    assert held >= naive


def test_equals_are_decided_in_five_of_a_hundred_cases() -> None:
    """Two equal methods, spread of 9 points: single seeds with problem intervals decided 59 % of such claims."""
    rng = make_rng(6, "equals")
    decided = 0
    for _ in range(REPLICATES):
        chances = rng.uniform(0.35, 0.75, 256)
        gap = minus(*(draw(run_scores(rng, 0, chances, 0.09, 5)) for _ in range(2))).estimate
        decided += gap.low > 0 or gap.high < 0
    assert decided / REPLICATES <= 0.08


def test_two_piece_draws_end_where_the_interval_does() -> None:
    values = np.arange(256) < 2
    interval = problem_mean(values)
    drawn = values.mean() + two_piece(
        float(values.mean()), interval, problem_scores(values, problem_multipliers("x", 256), "x")
    )
    assert np.percentile(drawn, [2.5, 97.5]) == pytest.approx(interval, abs=0.001)


def test_seed_deviations_take_out_the_noise_of_problems() -> None:
    values = np.array([1.0, 2.0, 4.0, 3.0])
    full, less = seed_deviations(values, "s"), seed_deviations(values, "s", noise=float(values.var(ddof=1)) * 0.75)
    assert less == pytest.approx(full / 2)
    assert not seed_deviations(values, "s", noise=100).any() and not seed_deviations(values[:1], "s").any()
    assert np.percentile(full, 97.5) == pytest.approx(t.ppf(0.975, 3) * values.std(ddof=1) / 2, rel=0.1)
