"""Scores by task: official verdicts are the scored ones, the rules' stand beside them, with both ceilings."""

import json

import pandas as pd
import pytest
from enigmata_puzzles import SAMPLES

from rlvr.core.errors import InputError
from rlvr.evaluate.puzzle_scores import judge_puzzles, reachable_shares, score_tasks, write_markdown
from rlvr.grading.enigmata.verify import judge
from rlvr.tables import GRADES, PROBLEMS, PUZZLES

TEXTS = {
    "binario": ["```\n0 0 1 1\n1 1 0 0\n0 1 0 1\n1 0 1 0\n```", "```\n0 2 1 1\n1 1 0 0\n0 1 0 1\n1 0 1 0\n```"],
    "eight_puzzle": ["```\nRR\n```", "```\nLL\n```"],
    "crypto_KKA": ["```\nDONNA\n```", "DONNA"],
}


@pytest.fixture
def problems() -> pd.DataFrame:
    rows = [
        {"problem_id": task, "question": "q", "answer": SAMPLES[task].answer, "meta": SAMPLES[task].meta, "topic": task}
        for task in TEXTS
    ]
    puzzles = pd.DataFrame(rows).assign(verifier=[f"enigmata/{task}" for task in TEXTS])
    other = {"problem_id": "sum", "question": "q", "answer": "2", "meta": "{}", "topic": None, "verifier": "math"}
    frame = pd.concat([puzzles, pd.DataFrame([other])], ignore_index=True)
    return PROBLEMS.validate(frame.assign(dataset="enigmata-eval", difficulty=1.0))


@pytest.fixture
def samples() -> pd.DataFrame:
    drawn = [(task, k, text) for task, texts in TEXTS.items() for k, text in enumerate(texts)] + [("sum", 0, "2")]
    return pd.DataFrame(drawn, columns=["problem_id", "sample", "text"]).assign(
        run_id="run_one", benchmark="enigmata-eval", completion_tokens=3, finish_reason="stop"
    )


@pytest.fixture
def grades(samples: pd.DataFrame) -> pd.DataFrame:
    verdicts = [
        judge(text, SAMPLES[task].answer, SAMPLES[task].meta, task).verdict if task in SAMPLES else "correct"
        for task, text in zip(samples["problem_id"], samples["text"], strict=True)
    ]
    return GRADES.validate(
        samples.drop(columns="text").assign(verdict=verdicts, extracted=None, stage="rule", grader="1")
    )


def test_both_verdicts_of_every_completion(samples, grades, problems) -> None:
    found = PUZZLES.validate(judge_puzzles(samples, grades, problems))
    assert found[["task", "official", "rules"]].to_numpy().tolist() == [
        ["binario", "correct", "correct"],
        ["binario", "correct", "wrong"],
        ["eight_puzzle", "correct", "correct"],
        ["eight_puzzle", "wrong", "correct"],
        ["crypto_KKA", "correct", "correct"],
        ["crypto_KKA", "unparsed", "unparsed"],
    ]


def test_the_scored_verdict_is_not_judged_again(samples, grades, problems) -> None:
    found = judge_puzzles(samples, grades.assign(verdict="timed_out"), problems)
    assert set(found["official"]) == {"timed_out"}


def test_missing_grades_are_an_error(samples, grades, problems) -> None:
    with pytest.raises(InputError, match="miss 1 of the samples"):
        judge_puzzles(samples, grades.iloc[1:], problems)


def test_scores_by_task(samples, grades, problems) -> None:
    scores = score_tasks(judge_puzzles(samples, grades, problems), problems).set_index("task")
    assert scores.loc["binario", ["problems", "samples", "official", "rules", "differ"]].tolist() == [1, 2, 1, 0.5, 0.5]
    assert scores.loc["eight_puzzle", ["official", "rules", "differ"]].tolist() == [0.5, 1, 0.5]
    assert scores.loc["all", ["problems", "samples"]].tolist() == [3, 6]
    assert scores.loc["all", "official"] == pytest.approx(4 / 6)
    assert scores.loc["binario", ["ceiling", "reachable"]].tolist() == [1, 1]
    assert pd.isna(scores.loc["eight_puzzle", "reachable"])  # its stored board is not an answer


def test_what_can_be_reached_is_found_from_the_stored_answers(problems) -> None:
    looped = {"answer": "[[1, -1], [-1, 1]]", "meta": json.dumps({"question": ". . .\n. . .\n. . ."})}
    negative = {"answer": "[[-3, 2, 1], [4, 0, -4], [-1, -2, 3]]", "meta": json.dumps({"question": [[None] * 3] * 3})}
    rows = [
        {**looped, "problem_id": "loop", "verifier": "enigmata/slant"},
        {**negative, "problem_id": "negative", "verifier": "enigmata/magic_square"},
    ]
    template = problems.iloc[:1].drop(columns=["answer", "meta", "problem_id", "verifier"])
    frame = pd.DataFrame(rows).merge(template, how="cross")
    assert reachable_shares(frame) == {"slant": 0, "magic_square": 0}


def test_the_markdown_shows_percent(samples, grades, problems) -> None:
    text = write_markdown(score_tasks(judge_puzzles(samples, grades, problems), problems))
    assert "| binario" in text
    assert "50.0" in text and "nan" not in text
