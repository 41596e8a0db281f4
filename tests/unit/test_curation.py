"""Curation: filters in order, disjoint seeded splits, cards that account for every row."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.core.digests import digest_problems
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table, write_json
from rlvr.data.cards import answer_type, top_topic
from rlvr.data.curation import curate, curate_files, split_problems
from rlvr.data.curation_recipe import CurationRecipe
from rlvr.data.filters import normalise_question
from rlvr.data.readers import DEEPMATH_SENTINELS, read_problems
from rlvr.tables import PROBLEMS

RECIPE = CurationRecipe("set", minimum_difficulty=8.5, eval_problems=2, max_train_problems=None, seed=0)
ALL = dataclasses.replace(RECIPE, minimum_difficulty=None)


def make_problems(difficulties, questions=None, answers=None) -> pd.DataFrame:
    count = len(difficulties)
    raw = pd.DataFrame(
        {
            "question": questions or [f"question {number}?" for number in range(count)],
            "final_answer": answers or ["1"] * count,
            "difficulty": pd.Series(difficulties, dtype=float),
            "topic": "Mathematics -> Algebra -> Groups",
        }
    )
    return read_problems(raw, "deepmath", "toy", "set", "toy.jsonl")


def rows_after(curated, name: str) -> tuple[int, int]:
    (count,) = [count for count in curated.counts if count.filter == name]
    return count.before, count.after


def test_every_filter_counts_what_it_drops():
    problems = make_problems(
        [9.0, 9.5, 8.5, 8.0, -1.0, 0.0, np.nan, 9.0, 9.0, 9.0],
        questions=["a?", "b?", "c?", "d?", "e?", "f?", "g?", " A?", "", "h?"],
        answers=["1"] * 9 + [None],
    )
    curated = curate(problems, RECIPE, DEEPMATH_SENTINELS)
    assert [(count.filter, count.before, count.after) for count in curated.counts] == [
        ("question present", 10, 9),
        ("answer present", 9, 8),
        ("difficulty not unrated (-1)", 8, 7),
        ("difficulty not unset (0)", 7, 6),
        ("difficulty present", 6, 5),
        ("difficulty >= 8.5", 5, 4),
        ("question not repeated", 4, 3),
    ]
    assert list(curated.kept["problem_id"]) == ["toy/1", "toy/2", "toy/3"]


def test_without_a_threshold_unrated_rows_stay():
    curated = curate(make_problems([9.0, -1.0, 0.0, np.nan]), ALL, DEEPMATH_SENTINELS)
    assert len(curated.kept) == 4
    assert [count.filter for count in curated.counts] == ["question present", "answer present", "question not repeated"]


def test_threshold_comes_before_repeats():
    curated = curate(make_problems([5.0, 9.0, 9.0], questions=["a?", "a?", "b?"]), RECIPE)
    assert list(curated.kept["problem_id"]) == ["toy/2", "toy/3"]


def test_repeats_can_stay_and_are_counted(tmp_path, fetched):
    recipe = dataclasses.replace(RECIPE, repeats="keep", eval_problems=1)
    outputs = [tmp_path / name for name in ("train.parquet", "eval.parquet", "card.json")]
    curate_files(*fetched, recipe, *outputs)
    card = read_json(outputs[2])
    assert card["counts"][-3] == {"filter": "difficulty >= 8.5", "before": 6, "after": 4}
    assert card["repeats_kept"] == 1
    assert sum(split["problems"] for split in card["splits"].values()) == 4


@pytest.mark.parametrize("repeats", ["keep", "drop"])
def test_published_number_is_compared_before_repeats_are_dropped(repeats):
    problems = make_problems([9.0, 9.0, 9.0, 3.0], questions=["a?", "A?", "b?", "c?"])
    curate(problems, dataclasses.replace(RECIPE, repeats=repeats, expected_kept=3))
    with pytest.raises(InputError, match=r"keeps 3 problems, expected 5,399\..*allow_other_count"):
        curate(problems, dataclasses.replace(RECIPE, repeats=repeats, expected_kept=5399))


def test_allowed_other_number_is_said_in_the_card(tmp_path, fetched, caplog):
    recipe = dataclasses.replace(RECIPE, expected_kept=5399, allow_other_count=True)
    outputs = [tmp_path / name for name in ("train.parquet", "eval.parquet", "card.json")]
    curate_files(*fetched, recipe, *outputs)
    assert read_json(outputs[2])["deviations"] == ["4 problems pass the filters, expected 5,399"]
    assert "keeps 4 problems, expected 5,399" in caplog.text


def test_synthetic_rows_are_not_held_to_published_numbers(tmp_path, fetched):
    rows, provenances = fetched
    write_json(read_json(provenances[0]) | {"origin": "synthetic"}, provenances[0])
    outputs = [tmp_path / name for name in ("train.parquet", "eval.parquet", "card.json")]
    curate_files(rows, provenances, dataclasses.replace(RECIPE, expected_kept=5399), *outputs)
    assert read_json(outputs[2])["deviations"] == []


def test_card_says_what_the_sources_deviate_in_and_their_terms(tmp_path, fetched):
    rows, provenances = fetched
    rule = {"filter": "split is train", "before": 9, "after": 4}
    more = {"rows": 9, "expected_rows": 10, "pinned": False, "revision": "f" * 40, "rules": [rule]}
    write_json(read_json(provenances[0]) | more | {"noncommercial": "yes"}, provenances[0])
    outputs = [tmp_path / name for name in ("train.parquet", "eval.parquet", "card.json")]
    curate_files(rows, provenances, RECIPE, *outputs)
    card = read_json(outputs[2])
    assert card["deviations"] == [
        "source one has 9 rows, expected 10",
        f"source one is not pinned; commit {'f' * 40} was read",
    ]
    assert card["counts"][:2] == [rule, {"filter": "question present", "before": 8, "after": 8}]
    assert card["terms"] == [
        "one: MIT; non-commercial use only; its rows are not redistributed here.",
        "two: MIT; whether commercial use is allowed is unclear; its rows are not redistributed here.",
    ]


def test_a_source_listed_twice_is_refused(tmp_path, fetched):
    outputs = [tmp_path / name for name in ("train.parquet", "eval.parquet", "card.json")]
    with pytest.raises(InputError, match=r"has two problems 'one/1'.*each source once"):
        curate_files([fetched[0][0]] * 2, [fetched[1][0]] * 2, RECIPE, *outputs)


def test_blank_and_missing_golds_are_counted_drops():
    problems = make_problems([9.0] * 5, answers=["1", "", None, "  ", "$$"])
    curated = curate(problems, dataclasses.replace(RECIPE, eval_problems="all"))
    assert rows_after(curated, "answer present") == (5, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Find $x$.", "  find\n$X$. "),
        ("e\u0301", "\u00e9"),
        ("\ufb01nd", "find"),
        ("a\u00a0b", "A B"),
        ("stra\u00dfe", "STRASSE"),
        ("\uff11", "1"),
    ],
)
def test_repetitions_are_found_through_case_blanks_and_compatibility_forms(first, second):
    assert normalise_question(first) == normalise_question(second)


@given(st.lists(st.sampled_from(["a", "B", "$x$", "\\frac", "7"]), min_size=1), st.sampled_from([" ", "\n\n", "\t "]))
def test_normalisation_is_blind_to_white_space_and_idempotent(words, blank):
    once = normalise_question(blank.join(["", *words, ""]))
    assert once == normalise_question(" ".join(words)) == normalise_question(once)


@given(
    rows=st.integers(2, 60), held_out=st.integers(1, 40), limit=st.none() | st.integers(1, 40), seed=st.integers(0, 5)
)
def test_splits_are_disjoint_and_of_the_stated_size(rows, held_out, limit, seed):
    problems = make_problems([9.0] * rows)
    recipe = CurationRecipe("set", None, held_out, limit, seed)
    train, evaluation = split_problems(problems, recipe)
    assert len(evaluation) == (held_out if rows >= 2 * held_out else rows // 2)
    rest = rows - len(evaluation)
    assert len(train) == (rest if limit is None else min(rest, limit))
    both = [*train["problem_id"], *evaluation["problem_id"]]
    assert len(set(both)) == len(both)
    assert set(both) <= set(problems["problem_id"])


def test_splits_do_not_depend_on_row_order_but_on_the_seed():
    problems = make_problems([9.0] * 50)
    shuffled = problems.sample(frac=1, random_state=1)
    for first, second in zip(split_problems(problems, ALL), split_problems(shuffled, ALL), strict=True):
        pd.testing.assert_frame_equal(first, second)
    other = split_problems(problems, dataclasses.replace(ALL, seed=1))[1]
    assert set(other["problem_id"]) != set(split_problems(problems, ALL)[1]["problem_id"])


def test_splits_are_uniform_draws():
    problems = make_problems([9.0] * 10)
    recipes = [dataclasses.replace(ALL, seed=seed, eval_problems=5) for seed in range(400)]
    drawn = pd.concat([split_problems(problems, recipe)[1]["problem_id"] for recipe in recipes]).value_counts()
    assert abs(drawn / 400 - 0.5).max() < 0.1  # four standard deviations of a fair coin


def test_all_problems_can_be_held_out():
    train, evaluation = split_problems(make_problems([9.0] * 7), dataclasses.replace(ALL, eval_problems="all"))
    assert (len(train), len(evaluation)) == (0, 7)


@pytest.mark.parametrize(
    ("difficulties", "message"),
    [
        ([3.0, 4.0], "'difficulty >= 8.5' left none of 2 rows.*minimum_difficulty"),
        ([np.nan], "'difficulty present' left none of 1 rows"),
        ([-1.0], r"'difficulty not unrated \(-1\)' left none"),
        ([], "'question present' left none of 0 rows"),
    ],
)
def test_empty_curated_set_names_the_filter_that_emptied_it(difficulties, message):
    with pytest.raises(InputError, match=f"data set 'set': is empty: the filter {message}"):
        curate(make_problems(difficulties), RECIPE, DEEPMATH_SENTINELS)


def test_one_problem_cannot_be_split():
    with pytest.raises(InputError, match=r"has one problem.*eval_problems: all"):
        curate(make_problems([9.0]), RECIPE)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("42", "integer"),
        ("-7", "integer"),
        ("10,000", "integer"),
        ("10{,}000", "integer"),
        ("0.5", "decimal or fraction"),
        ("-.5", "decimal or fraction"),
        ("3/4", "decimal or fraction"),
        (r"-\dfrac{1}{12}", "decimal or fraction"),
        (r"\frac12", "decimal or fraction"),
        ("Yes", "yes/no"),
        (r"\text{False}", "yes/no"),
        ("A", "single letter"),
        ("(B)", "single letter"),
        (r"\text{(C)}", "single letter"),
        ("Monday", "text"),
        ("not normal", "text"),
        (r"\aleph_1", "expression"),
        ("x^2+1", "expression"),
        ("1,2", "expression"),
        (r"\frac{x}{2}", "expression"),
    ],
)
def test_answer_types(answer, kind):
    assert answer_type(answer) == kind


@pytest.mark.parametrize(
    ("topic", "top"),
    [
        ("Mathematics -> Algebra -> Groups", "Algebra"),
        ("Mathematics", "Mathematics"),
        ("Algebra", "Algebra"),
        ("Other -> Algebra", "Other"),
        (None, "not stated"),
        ("", "not stated"),
    ],
)
def test_top_topic(topic, top):
    assert top_topic(topic) == top


def test_digest_is_blind_to_row_order_and_sees_every_answer():
    problems = make_problems([9.0, 9.0, 9.0])
    assert digest_problems(problems) == digest_problems(problems.iloc[::-1])
    assert digest_problems(problems) != digest_problems(problems.assign(answer=["1", "1", "2"]))


@pytest.fixture
def fetched(tmp_path):
    """Two fetched sources, the second with a repeat of the first's question."""
    paths = []
    for name, question in (("one", "a?"), ("two", "A?")):
        raw = pd.DataFrame(
            {
                "question": [question, f"{name}?", "easy?", "unrated?"],
                "final_answer": "1",
                "difficulty": [9.0, 8.6, 3.0, -1.0],
                "topic": ["Mathematics -> Algebra", "Mathematics -> Logic", "Mathematics -> Algebra", None],
            }
        )
        raw.to_parquet(tmp_path / f"{name}.parquet")
        files = [{"file": f"{name}.jsonl", "bytes": 1, "sha256": "0" * 64, "rows": 4}]
        write_json({"source": name, "reader": "deepmath", "licence": "MIT", "files": files}, tmp_path / f"{name}.json")
        paths.append((tmp_path / f"{name}.parquet", tmp_path / f"{name}.json"))
    return [rows for rows, _ in paths], [provenance for _, provenance in paths]


def test_files_in_splits_and_card_out(tmp_path, fetched):
    recipe = dataclasses.replace(RECIPE, eval_problems=1, max_train_problems=1)
    outputs = (tmp_path / "train.parquet", tmp_path / "eval.parquet", tmp_path / "card.json")
    curate_files(*fetched, recipe, *outputs)
    train, evaluation = (read_table(path, PROBLEMS) for path in outputs[:2])
    assert {*train["problem_id"], *evaluation["problem_id"]} < {"one/1", "one/2", "two/2"}

    card = read_json(outputs[2])
    assert card["recipe"] == json.loads(json.dumps(dataclasses.asdict(recipe)))
    assert [source["licence"] for source in card["sources"]] == ["MIT", "MIT"]
    assert card["counts"][0] == {"filter": "question present", "before": 8, "after": 8}
    assert card["counts"][-1] == {"filter": "question not repeated", "before": 4, "after": 3}
    assert card["difficulty"]["bins"] == [
        {"from": 3.0, "read": 2, "kept": 0},
        {"from": 8.5, "read": 2, "kept": 2},
        {"from": 9.0, "read": 2, "kept": 1},
    ]
    assert card["difficulty"]["not_rated"] == [{"reason": "unrated", "read": 2, "kept": 0}]
    assert card["topics"] == [
        {"topic": "Algebra", "read": 4, "kept": 1},
        {"topic": "Logic", "read": 2, "kept": 2},
        {"topic": "not stated", "read": 2, "kept": 0},
    ]
    assert card["answer_types"] == [{"type": "integer", "read": 8, "kept": 3}]
    assert card["splits"]["train"] == {"problems": 1, "sha256": digest_problems(train)}
    assert card["unused"] == 1


def test_same_input_same_bytes(tmp_path, fetched):
    for name in ("first", "second"):
        outputs = [tmp_path / name / file for file in ("train.parquet", "eval.parquet", "card.json")]
        curate_files(*fetched, ALL, *outputs)
    for file in ("train.parquet", "eval.parquet", "card.json"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_everything_held_out_leaves_a_readable_empty_training_table(tmp_path, fetched):
    outputs = (tmp_path / "train.parquet", tmp_path / "eval.parquet", tmp_path / "card.json")
    curate_files(*fetched, dataclasses.replace(ALL, eval_problems="all"), *outputs)
    assert len(read_table(outputs[0], PROBLEMS)) == 0
    assert len(read_table(outputs[1], PROBLEMS)) == 5
