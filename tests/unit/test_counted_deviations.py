"""Deviations that whole counts can have, against every triple of counts."""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from rlvr.stats.derivations import Printed
from rlvr.stats.multiples import deviations_of_counts

SIZE, SEEDS = 30, 3


def every_deviation(mean: str, deviation: str, ddof: int) -> list[float]:
    """Slow and obvious: all triples whose mean and deviation are printed so."""
    middle, spread = Printed.read(mean), Printed.read(deviation)
    found = set()
    for counts in combinations_with_replacement(range(SIZE + 1), SEEDS):
        percent = np.array(counts) * 100 / SIZE
        value = float(np.std(percent, ddof=ddof))
        near = float(middle.low) - 1e-9 <= percent.mean() <= float(middle.high) + 1e-9
        if near and float(spread.low) - 1e-9 <= value <= float(spread.high) + 1e-9:
            found.add(round(value, 9))
    return sorted(found)


# SOURCE: "Geometry-Preserving Orthonormal Initialization for Low-Rank Adaptation in RLVR", tables 1 and 6.
@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize(
    ("mean", "deviation"),
    [("42.22", "6.94"), ("3.33", "2.7"), ("17.78", "6.8"), ("4.44", "1.9"), ("0.00", "0.00"), ("50.00", "17")],
)
def test_every_triple_of_counts(mean: str, deviation: str, ddof: int) -> None:
    found = deviations_of_counts(Printed.read(mean), Printed.read(deviation), SIZE, SEEDS, ddof)
    assert [round(value, 9) for value in found] == every_deviation(mean, deviation, ddof)
