"""Estimators over k samples against enumeration."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.stats.estimators import avg_at_k, maj_at_k, pass_at_k


def test_average() -> None:
    assert avg_at_k(np.array([[True, False], [True, True], [False, False]])).tolist() == [0.5, 1.0, 0.0]


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.data())
def test_pass_at_k_is_the_mean_over_all_subsets(correct: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(correct)))
    subsets = list(combinations(correct, k))
    expected = sum(map(any, subsets)) / len(subsets)
    estimate = pass_at_k(np.array([len(correct)]), np.array([sum(correct)]), k)
    assert estimate == pytest.approx([expected])


def test_pass_at_1_is_the_average_and_pass_at_n_is_any() -> None:
    n, c = np.full(5, 4), np.arange(5)
    assert pass_at_k(n, c, 1) == pytest.approx(c / 4)
    assert pass_at_k(n, c, 4).tolist() == [0, 1, 1, 1, 1]


def test_pass_at_k_survives_large_counts() -> None:
    assert pass_at_k(np.array([100_000]), np.array([1]), 50_000) == pytest.approx([0.5])


@pytest.mark.parametrize(("n", "c", "k"), [(3, 1, 4), (3, 4, 2), (3, -1, 2), (3, 1, 0)])
def test_pass_at_k_refuses_impossible_counts(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="pass@"):
        pass_at_k(np.array([n]), np.array([c]), k)


@pytest.mark.parametrize(
    ("answers", "right", "expected"),
    [
        (["7", "3", "7"], "7", 1),
        (["7", "3", "3"], "7", 0),
        (["7", "3"], "7", 1),
        (["3", "7"], "7", 0),
        (["3", "7", "7", "3"], "3", 1),
        ([None, None, "7"], "7", 1),
        ([None, None], "7", 0),
    ],
    ids=[
        "majority",
        "outvoted",
        "tie, first wins",
        "tie, first is wrong",
        "tie of pairs",
        "no vote",
        "no votes at all",
    ],
)
def test_majority(answers: list[str | None], right: str, expected: float) -> None:
    correct = np.array([[answer == right for answer in answers]])
    assert maj_at_k(np.array([answers], dtype=object), correct).tolist() == [expected]


@given(st.lists(st.sampled_from(["1", "2", "3", None]), min_size=1, max_size=8))
def test_majority_equals_counting(answers: list[str | None]) -> None:
    votes = Counter(answer for answer in answers if answer)
    best = max(votes.values(), default=0)
    winner = next((answer for answer in answers if answer and votes[answer] == best), None)
    correct = np.array([[answer == "2" for answer in answers]])
    assert maj_at_k(np.array([answers], dtype=object), correct)[0] == (winner == "2")
