"""The arithmetic of printed numbers: rows of "Structure Over Scale", and random searches against the exact bounds."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.core.seeds import make_rng
from rlvr.stats.derivations import (
    Printed,
    derive,
    derive_deviation,
    deviation,
    mean_of,
    smallest_deviation,
)


def printed(*texts: str) -> list[Printed]:
    return [Printed.read(text) for text in texts]


def test_printed_number_and_its_rounding() -> None:
    number = Printed.read(" 84.0% ")
    assert number.value == 84
    assert (number.low, number.high) == (Fraction(8395, 100), Fraction(8405, 100))
    assert Printed.read("7").high == Fraction(15, 2)


# SOURCE: "Structure Over Scale", tables 13 and 14, with the deviation that its text gives for QuanTA d=3 no_kv (9.4).
@pytest.mark.parametrize(
    ("seeds", "std", "matches", "possible"),
    [
        (("84.0", "76.6", "62.5"), "10.9", True, True),
        (("80.9", "77.0", "60.9"), "10.4", False, False),
        (("78.5", "79.3", "64.5"), "8.4", False, True),
        (("80.1", "78.5", "63.7"), "9.0", True, True),
        (("84.0", "76.2", "65.2"), "9.6", False, False),
        (("84.0", "76.2", "65.2"), "9.4", True, True),
        (("19.0", "13.2", "21.4"), "4.3", False, True),
        (("19.6", "11.2", "18.5"), "4.6", True, True),
        (("19.4", "14.5", "21.7"), "3.6", False, True),
    ],
)
def test_printed_deviations_of_the_paper(seeds: tuple[str, ...], std: str, matches: bool, possible: bool) -> None:
    derivation = derive_deviation(Printed.read(std), printed(*seeds))
    assert (derivation.matches, derivation.possible) == (matches, possible)
    assert derivation.derived == pytest.approx(np.std([float(seed) for seed in seeds], ddof=1))


def test_printed_mean() -> None:
    seeds = printed("84.0", "76.6", "62.5")
    assert derive(Printed.read("74.4"), mean_of(seeds)).matches
    assert not derive(Printed.read("74.5"), mean_of(seeds)).possible
    near = derive(Printed.read("74.3"), mean_of(seeds))
    assert not near.matches
    assert near.possible
    assert (float(near.low), float(near.high)) == pytest.approx((74.3166667, 74.4166667))


def tenths(count: int) -> Printed:
    return Printed.read(f"{count / 10:.1f}")


SEEDS = st.lists(st.integers(0, 1000).map(tenths), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None)
@given(SEEDS | st.lists(st.integers(500, 504).map(tenths), min_size=2, max_size=5))
def test_no_unrounded_numbers_leave_the_bounds_and_some_reach_them(seeds: list[Printed]) -> None:
    derivation = derive_deviation(seeds[0], seeds)
    offsets = make_rng(0, len(seeds)).uniform(-0.05, 0.05, size=(2000, len(seeds)))
    draws = np.std(np.array([float(seed.value) for seed in seeds]) + offsets, axis=1, ddof=1)
    assert derivation.low - 1e-9 <= draws.min()
    assert draws.max() <= derivation.high + 1e-9
    assert derivation.low - 1e-9 <= derivation.derived <= derivation.high + 1e-9


def test_smallest_deviation_in_closed_form() -> None:
    assert smallest_deviation(printed("1.0", "1.1")) == 0
    assert smallest_deviation(printed("1.0", "2.0")) == pytest.approx(0.9 / 2**0.5)
    # The middle value is free to sit on the mean of the other two.
    assert smallest_deviation(printed("1.0", "1.5", "2.0")) == pytest.approx(((0.45**2) * 2 / 2) ** 0.5)


def test_deviation_is_that_of_numpy() -> None:
    values = [Fraction(1), Fraction(5, 2), Fraction(7)]
    assert deviation(values) == pytest.approx(np.std([1, 2.5, 7], ddof=1))


@pytest.mark.parametrize("count", [1, 17])
def test_deviation_needs_a_sane_number_of_seeds(count: int) -> None:
    with pytest.raises(ValueError, match="2 to 16"):
        derive_deviation(Printed.read("1.0"), printed(*["1.0"] * count))
