"""Scores of small grade tables, computed by hand."""

from pathlib import Path

import pandas as pd
import pytest

from rlvr.core.errors import InputError
from rlvr.core.io import write_json
from rlvr.evaluate.scoring import score_file, score_problems, summarise
from rlvr.tables import ANSWERS as ANSWERS_SCHEMA
from rlvr.tables import GRADES, SCORES

# Problem p: 7 wins 2 : 1 and is right. q: 3 wins over 4, which is right. r: a tie, the first (right) one counts.
ANSWERS = {"p": ["7", " 7. ", "5"], "q": ["3", "4", "3"], "r": ["1/2", None, "0.6"]}
CORRECT = {"p": [True, True, False], "q": [False, True, False], "r": [True, False, False]}


def grades() -> pd.DataFrame:
    rows = [
        {
            "run_id": "run", "benchmark": "b", "problem_id": problem, "sample": sample,
            "completion_tokens": 10 + sample, "finish_reason": "length" if answer is None else "stop",
            "verdict": "unparsed" if answer is None else "correct" if CORRECT[problem][sample] else "wrong",
            "extracted": answer, "stage": "rule", "grader": "1",
        }
        for problem, answers in ANSWERS.items()
        for sample, answer in enumerate(answers)
    ]  # fmt: skip
    return GRADES.validate(pd.DataFrame(rows))


def score_grades(table: pd.DataFrame) -> pd.DataFrame:
    return summarise(score_problems(table), table)


def test_three_statistics_by_hand() -> None:
    scores = score_grades(grades()).set_index("statistic")
    assert scores["value"].to_dict() == pytest.approx({"avg_at_k": 4 / 9, "pass_at_k": 1.0, "maj_at_k": 2 / 3})
    assert (scores["k"] == 3).all()
    assert (scores["n_problems"] == 3).all()
    assert ((scores["low"] <= scores["value"]) & (scores["value"] <= scores["high"])).all()
    low, high = scores.loc["pass_at_k", ["low", "high"]]
    assert (low, high) == (pytest.approx(3 / (3 + 1.959964**2)), 1.0)  # three of three: Wilson


def test_verdict_shares_stand_beside_every_score() -> None:
    row = score_grades(grades()).iloc[0]
    assert row["wrong_share"] == pytest.approx(4 / 9)
    assert row["unparsed_share"] == row["truncated_share"] == pytest.approx(1 / 9)
    assert row["timed_out_share"] == 0
    assert row["mean_completion_tokens"] == 11


def test_order_of_rows_does_not_matter() -> None:
    shuffled = grades().sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(score_grades(shuffled), score_grades(grades()))


def test_spaces_and_forms_of_an_answer_are_one_vote() -> None:
    table = grades()
    table.loc[table["problem_id"] == "r", "extracted"] = ["9", "1/2", "0.5"]
    table.loc[table["problem_id"] == "r", "verdict"] = ["wrong", "correct", "correct"]
    scores = score_grades(table).set_index("statistic")
    assert scores.loc["maj_at_k", "value"] == pytest.approx(2 / 3)


def test_timed_out_answer_still_votes() -> None:
    table = grades()
    table.loc[table["problem_id"] == "p", "verdict"] = "timed_out"
    scores = score_grades(table).set_index("statistic")
    assert scores.loc["maj_at_k", "timed_out_share"] == pytest.approx(1 / 3)
    assert scores.loc["maj_at_k", "value"] == pytest.approx(1 / 3)


def test_incomplete_problem_is_an_error() -> None:
    with pytest.raises(InputError, match=r"problem 'q'.*expected samples 0 .. 2 .*found 2"):
        score_grades(grades().query("not (problem_id == 'q' and sample == 1)"))


def test_wrong_numbering_is_an_error() -> None:
    table = grades()
    table.loc[table["sample"] == 2, "sample"] = 5
    with pytest.raises(InputError, match="expected samples"):
        score_grades(table)


def test_two_runs_in_one_file_are_an_error() -> None:
    table = grades()
    table.loc[0, "run_id"] = "other"
    with pytest.raises(InputError, match="found 2"):
        score_grades(table)


def test_score_file(tmp_path: Path) -> None:
    grades().to_parquet(tmp_path / "grades.parquet")
    scores = score(tmp_path, {"lost_share": 0.25})
    assert scores["statistic"].tolist() == ["avg_at_k", "pass_at_k", "maj_at_k"]
    assert scores["lost_share"].tolist() == [0.25] * 3
    assert score(tmp_path, {})["lost_share"].isna().all(), "samples of before: not recorded"


def score(folder: Path, record: dict) -> pd.DataFrame:
    """The scores of ``grades.parquet`` beside a record of its samples."""
    write_json(record, folder / "samples.json")
    paths = [folder / name for name in ("grades.parquet", "samples.json", "scores.parquet", "answers.parquet")]
    score_file(*paths)
    return SCORES.validate(pd.read_parquet(folder / "scores.parquet"))


def test_answers_of_every_problem_average_to_the_scores(tmp_path: Path) -> None:
    grades().sample(frac=1, random_state=2).to_parquet(tmp_path / "grades.parquet")
    scores = score(tmp_path, {}).set_index("statistic")["value"]
    answers = ANSWERS_SCHEMA.validate(pd.read_parquet(tmp_path / "answers.parquet"))
    means = answers.groupby("statistic")["value"].mean()
    assert means.to_dict() == pytest.approx(scores.to_dict())
    of_each = answers.query("statistic == 'avg_at_k'").set_index("problem_id")
    assert of_each["value"].to_dict() == pytest.approx({"p": 2 / 3, "q": 1 / 3, "r": 1 / 3})
    assert of_each["samples"].tolist() == [3, 3, 3]
    assert answers.query("statistic != 'avg_at_k'")["samples"].unique().tolist() == [1]


def test_benchmarks_of_a_suite_are_scored_apart(tmp_path: Path) -> None:
    wrong = grades().assign(benchmark="hard", verdict="wrong")
    pd.concat([grades(), wrong]).to_parquet(tmp_path / "grades.parquet")
    scores = score(tmp_path, {"lost_share": 0.0})
    alone = score_grades(grades())
    assert scores.query("benchmark == 'hard'")["value"].tolist() == [0, 0, 0]
    assert scores.query("benchmark != 'hard'")["value"].tolist() == alone["value"].tolist()


SPELLINGS = [
    ["(1,2)", "(1, 2)"],
    ["3", "x=3"],
    [r"50\%", "0.5"],
    [r"\pi/2", r"\frac{\pi}{2}"],
    ["90", r"90^\circ"],
    [r"2\sqrt{3}", r"\sqrt{12}"],
    ["x+1", "1+x"],
    [r"\{1,2\}", r"\{2,1\}"],
    [r"\text{(A)}", "A"],
]


@pytest.mark.parametrize("spellings", SPELLINGS, ids=lambda spellings: spellings[0])
def test_right_answers_are_one_vote_however_they_are_written(spellings: list[str]) -> None:
    """Two right answers in two spellings against two equal wrong ones, which were sampled first, and a third right."""
    table = grades()
    table.loc[table["problem_id"] == "p", "extracted"] = ["nonsense", *spellings]
    table.loc[table["problem_id"] == "p", "verdict"] = ["wrong", "correct", "correct"]
    assert score_grades(table).set_index("statistic").loc["maj_at_k", "value"] == pytest.approx(2 / 3)


def test_the_grader_itself_calls_these_spellings_equal() -> None:
    """The premise of the test above."""
    from rlvr.grading.grader import grade

    for gold, answer in SPELLINGS:
        assert grade(rf"\boxed{{{answer}}}", gold, "math").verdict == "correct", (gold, answer)


def test_wrong_lists_are_one_vote_with_and_without_spaces() -> None:
    table = grades()
    table.loc[table["problem_id"] == "p", "extracted"] = ["7", "(1, 2)", "(1,2)"]
    table.loc[table["problem_id"] == "p", "verdict"] = ["correct", "wrong", "wrong"]
    assert score_grades(table).set_index("statistic").loc["maj_at_k", "value"] == pytest.approx(1 / 3)


def test_a_timed_out_answer_written_like_a_right_one_votes_with_it() -> None:
    table = grades()
    table.loc[table["problem_id"] == "p", "extracted"] = ["12", "5", "12"]
    table.loc[table["problem_id"] == "p", "verdict"] = ["timed_out", "wrong", "correct"]
    assert score_grades(table).set_index("statistic").loc["maj_at_k", "value"] == pytest.approx(2 / 3)
