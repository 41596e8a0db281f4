"""Two printed means with deviations: Welch's test without the seeds is the one with them."""

import numpy as np
import pytest
from scipy.stats import t

from rlvr.core.seeds import make_rng
from rlvr.stats.significance import Summary, compare_seeds, compare_summaries


@pytest.mark.parametrize("sizes", [(3, 3), (2, 5), (7, 4)])
def test_summaries_decide_as_their_seeds(sizes: tuple[int, int]) -> None:
    random = make_rng(3, sum(sizes))
    sides = [random.normal(50 + 4 * place, 1 + place, size) for place, size in enumerate(sizes)]
    known = compare_seeds(*(list(side) for side in sides))
    printed = compare_summaries(*(Summary(side.mean(), np.std(side, ddof=1), len(side)) for side in sides))
    assert (printed.statistic, printed.probability) == pytest.approx((known.statistic, known.probability))


def test_equal_deviations_and_sizes_have_students_degrees_of_freedom() -> None:
    test = compare_summaries(Summary(10.0, 2.0, 3), Summary(13.0, 2.0, 3))
    assert test.statistic == pytest.approx(-3 / (2 * (2 / 3) ** 0.5))
    assert test.probability == pytest.approx(2 * t.sf(-test.statistic, df=4))


@pytest.mark.parametrize("pair", [(Summary(1.0, 1.0, 1), Summary(2.0, 1.0, 3)), (Summary(1.0, 0.0, 3),) * 2])
def test_what_no_test_can_decide(pair: tuple[Summary, Summary]) -> None:
    with pytest.raises(ValueError, match=r"seeds|zero"):
        compare_summaries(*pair)
