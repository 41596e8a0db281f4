"""Claims decided by chance, against closed forms and a simulation."""

import numpy as np
import pytest
from scipy.stats import binom

from rlvr.core.seeds import make_rng
from rlvr.stats.familywise import chance_of_at_least, decided_by_chance


def test_claims_of_one_comparison_are_binomial() -> None:
    found = decided_by_chance([1] * 46)
    assert found.expected == pytest.approx(46 * 0.05)
    for count in (0, 1, 2, 5, 46):
        assert found.at_least(count) == pytest.approx(binom.sf(count - 1, 46, 0.05))
    assert found.at_least(47) == 0


def test_several_comparisons_fail_as_soon_as_one_does() -> None:
    assert decided_by_chance([2]).expected == pytest.approx(0.025**2 + 2 * 0.025 * 0.975 + 0.025**2)
    assert decided_by_chance([0, 3], level=0.8).expected == pytest.approx(1 - 0.9**3 + 0.1**3)
    with pytest.raises(ValueError, match="negative"):
        decided_by_chance([-1])


def test_unequal_chances_against_a_simulation() -> None:
    chances = [0.05, 0.3, 0.5, 0.12]
    drawn = (make_rng(0, "familywise").random((200_000, 4)) < chances).sum(axis=1)
    for count in range(5):
        assert chance_of_at_least(chances, count) == pytest.approx(np.mean(drawn >= count), abs=0.004)


def test_claims_judged_by_intervals_are_decided_as_often() -> None:
    """Intervals of normal estimates whose truth is their margin: all above it, or one below."""
    rng, sizes, decided = make_rng(1, "familywise"), [1, 2, 4], 0
    for _ in range(4000):
        for size in sizes:
            centres = rng.standard_normal(size)
            decided += bool((centres > 1.959964).all() or (centres < -1.959964).any())
    assert decided / 4000 == pytest.approx(decided_by_chance(sizes).expected, abs=0.02)
