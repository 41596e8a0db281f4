"""Stratified draws: margins exact, nothing above its supply, the same whatever the order, refused where impossible."""

from itertools import chain, combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.data.allocation import Margins, allocate, check_feasible, largest_remainder, rake
from rlvr.data.readers.enigmata import SHARED_TASKS
from rlvr.data.strata import Strata, draw_sample

LEVELS = ["easy", "medium", "hard"]
WANTED = {"easy": 2930, "medium": 3381, "hard": 3689}
SPECIAL = {  # SOURCE: counts of the paper's appendix B.3 and the released generators' levels
    "full_crosswords": [9500, 9500, 0],
    "knights_and_knaves": [926, 1724, 764],
    "hamiltonian_path": [51, 227, 817],
    "checkmate_in_one": [0, 0, 2500],
    "big_bench_symbolic": [0, 0, 2000],
    "symbolic_hard": [0, 0, 416],
    **{task: [0, 2000, 2000] for task in ("hitori", "light_up", "natural_language_navigation", "tic_tac_toe")},
}


def pool() -> pd.DataFrame:
    """One table of tasks and levels with the totals that the paper states; two tasks have no easy rows."""
    table = {task: SPECIAL.get(task, [2000, 2000, 2000]) for task in SHARED_TASKS}
    table |= {task: [0, 3000, 3000] for task in ("sudoku", "slant")}
    return pd.DataFrame.from_dict(table, orient="index", columns=LEVELS)


def targets(table: pd.DataFrame) -> dict[str, int]:
    return largest_remainder({str(name): int(n) for name, n in table.sum(axis=1).items()}, 10_000)


def test_the_shares_of_enigmata() -> None:
    shares = targets(pool())
    assert sum(shares.values()) == 10_000
    named = ["full_crosswords", "knights_and_knaves", "checkmate_in_one", "big_bench_symbolic", "hamiltonian_path"]
    assert [shares[name] for name in [*named, "symbolic_hard", "hitori"]] == [977, 175, 128, 103, 56, 21, 206]
    ties = [name for name in sorted(SHARED_TASKS) if name not in SPECIAL]
    assert [shares[name] for name in ties] == [309] * 16 + [308] * 9


def test_the_draw_of_enigmata_has_exact_margins_and_stays_close_to_the_raked_table() -> None:
    table = pool()
    margins = Margins(targets(table), WANTED)
    cells = allocate(table, margins, 0, "pool")
    assert cells.sum(axis=1).to_dict() == margins.rows
    assert cells.sum(axis=0).to_dict() == margins.columns
    assert (cells <= table).all(axis=None)
    assert ((cells - rake(table, margins)).abs() < 1).all(axis=None)
    assert cells.loc["full_crosswords", "hard"] == 0
    assert cells.loc["symbolic_hard"].tolist() == [0, 0, 21]


def test_the_table_does_not_depend_on_the_order_of_tasks() -> None:
    table = pool()
    margins = Margins(targets(table), WANTED)
    mixed = table.sample(frac=1, random_state=3)
    assert allocate(mixed, margins, 0, "pool").loc[table.index].equals(allocate(table, margins, 0, "pool"))


def test_a_task_without_levels_makes_the_paper_margins_impossible() -> None:
    table = pool()
    shares = targets(table)
    table.loc["symbolic_hard"] = 0
    with pytest.raises(InputError, match="'symbolic_hard' is to give 21 rows and has 0"):
        check_feasible(table, Margins(shares, WANTED), "pool")


def test_the_violated_set_is_named() -> None:
    table = pd.DataFrame([[5, 0, 9], [9, 9, 9]], index=["a", "b"], columns=LEVELS)
    with pytest.raises(InputError, match=r"\{medium\} must hold 10 rows, at most 8 can be had \(short: a\)"):
        check_feasible(table, Margins({"a": 10, "b": 8}, {"easy": 4, "medium": 10, "hard": 4}), "pool")


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, Margins]:
    """A supply and margins that may or may not fit."""
    shape = (draw(st.integers(1, 4)), draw(st.integers(1, 3)))
    cell = st.integers(0, 6)
    supply = np.array([[draw(cell) for _ in range(shape[1])] for _ in range(shape[0])])
    chosen = np.array([[draw(st.integers(0, 6)) for _ in range(shape[1])] for _ in range(shape[0])])
    chosen = np.minimum(chosen, supply) if draw(st.booleans()) else chosen
    names = [f"t{i}" for i in range(shape[0])]
    margins = Margins(
        dict(zip(names, chosen.sum(axis=1).tolist(), strict=True)),
        dict(zip(LEVELS, chosen.sum(axis=0).tolist(), strict=False)),
    )
    return pd.DataFrame(supply, index=names, columns=LEVELS[: shape[1]]), margins


def exists(supply: pd.DataFrame, margins: Margins) -> bool:
    """Hall's condition over every pair of sets of rows and columns: the slow, symmetric version."""
    rows, columns = list(supply.index), list(supply.columns)

    def subsets(names: list[str]) -> list[tuple[str, ...]]:
        return list(chain.from_iterable(combinations(names, n) for n in range(len(names) + 1)))

    return all(
        sum(margins.rows[r] for r in some) - sum(margins.columns[c] for c in columns if c not in there)
        <= int(supply.loc[list(some), list(there)].to_numpy().sum())
        for some in subsets(rows)
        for there in subsets(columns)
    )


@settings(max_examples=150, deadline=None)
@given(tables())
def test_a_table_is_found_exactly_where_one_exists(case: tuple[pd.DataFrame, Margins]) -> None:
    supply, margins = case
    if not exists(supply, margins):
        with pytest.raises(InputError):
            allocate(supply, margins, 0, "pool")
        return
    cells = allocate(supply, margins, 0, "pool")
    assert cells.sum(axis=1).to_dict() == margins.rows
    assert cells.sum(axis=0).to_dict() == margins.columns
    assert ((cells >= 0) & (cells <= supply)).all(axis=None)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(1, 9999), min_size=1), st.integers(0, 500))
def test_shares_are_rounded_up_or_down_and_sum_up(weights: dict[str, int], total: int) -> None:
    shares = largest_remainder(weights, total)
    assert sum(shares.values()) == total
    mass = sum(weights.values())
    assert all(abs(shares[name] - total * weight / mass) < 1 for name, weight in weights.items())


def small_problems() -> pd.DataFrame:
    kinds = ["a"] * 30 + ["b"] * 20 + ["c"] * 10
    difficulty = [1.0, 2.0] * 25 + [float("nan")] * 10
    return pd.DataFrame(
        {
            "problem_id": [f"s/{i}" for i in range(60)],
            "question": [f"question {i * 7919 % 60}" for i in range(60)],
            "answer": "x",
            "topic": kinds,
            "difficulty": difficulty,
        }
    )


STRATA = Strata.from_config(
    {"levels": {"easy": {"difficulty": 1, "problems": 6}, "hard": {"difficulty": 2, "problems": 6}},
     "unlabelled": {"c": "hard"}}
)  # fmt: skip


def test_a_draw_is_the_same_again_and_with_shuffled_and_renumbered_rows() -> None:
    problems = small_problems()
    shuffled = problems.sample(frac=1, random_state=1, ignore_index=True)
    shuffled["problem_id"] = [f"s/{i}" for i in range(60)]
    drawn = [
        draw_sample(rows, STRATA, 0, "pool").problems["question"].tolist() for rows in (problems, problems, shuffled)
    ]
    assert drawn[0] == drawn[1] == drawn[2]
    assert draw_sample(problems, STRATA, 1, "pool").problems["question"].tolist() != drawn[0]


def test_a_draw_keeps_topic_shares_and_counts_unlabelled_topics_as_told() -> None:
    draw = draw_sample(small_problems(), STRATA, 0, "pool")
    assert draw.problems["topic"].value_counts().to_dict() == {"a": 6, "b": 4, "c": 2}
    assert draw.problems["difficulty"].value_counts().to_dict() == {1.0: 6, 2.0: 6}
    assert draw.problems.loc[draw.problems["topic"] == "c", "difficulty"].tolist() == [2.0, 2.0]
    assert draw.supply.loc["c"].tolist() == [0, 10]


def test_an_unknown_level_for_unlabelled_topics_is_refused() -> None:
    with pytest.raises(InputError, match="names no level"):
        Strata.from_config({"levels": {"easy": {"difficulty": 1, "problems": 6}}, "unlabelled": {"c": "brutal"}})
