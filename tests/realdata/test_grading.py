"""The grader on real golds and real completions."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rlvr.rewards.answers import as_number, as_words, clean_answer
from rlvr.rewards.formatting import repeats_itself
from rlvr.rewards.grader import check_gold, grade
from rlvr.rewards.math_answers import match_fast, match_symbolic


def read_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def math_golds(real_data: Path) -> list[str]:
    return [row["answer"] for row in read_rows(real_data / "benchmarks" / "math500.jsonl")]


@pytest.fixture(scope="module")
def deepmath(real_data: Path) -> list[dict]:
    return read_rows(real_data / "deepmath" / "roll_math_deepmath_deal.jsonl")


@pytest.fixture(scope="module")
def hard_golds(deepmath: list[dict]) -> list[str]:
    return [row["ground_truth"] for row in deepmath if float(row["difficulty"]) >= 8.5]


@pytest.fixture(scope="module")
def completions(real_data: Path) -> list[tuple[str, str, bool]]:
    """Completion, gold and label of 100 problems x 8."""
    rows = read_rows(real_data / "labelled" / "qwen_math_cot_100.jsonl")
    return [
        (text, str(row["gt"]), label) for row in rows for text, label in zip(row["code"], row["score"], strict=True)
    ]


def self_grades(golds: list[str]) -> Counter[str]:
    for gold in golds:
        check_gold(gold, "math")
    return Counter(grade(rf"so \boxed{{{gold}}}", gold, "math").verdict for gold in golds)


def test_every_math_500_gold_matches_itself(math_golds: list[str]) -> None:
    assert self_grades(math_golds) == {"correct": 500}


def test_every_hard_deepmath_gold_matches_itself(hard_golds: list[str]) -> None:
    assert self_grades(hard_golds) == {"correct": 261}


@pytest.mark.parametrize("name", ["aime24", "aime25", "hmmt_feb_2025"])
def test_every_competition_gold_matches_itself(real_data: Path, name: str) -> None:
    golds = [str(row["answer"]) for row in read_rows(real_data / "benchmarks" / f"{name}.jsonl")]
    assert self_grades(golds) == {"correct": 30}


def test_full_path_agrees_on_every_gold(math_golds: list[str], hard_golds: list[str]) -> None:
    golds = {clean_answer(gold) for gold in math_golds + hard_golds}
    assert all(match_fast(gold, gold) for gold in golds)
    assert [gold for gold in golds if match_symbolic(gold, gold)[0] != "correct"] == []


def test_fast_path_agrees_on_pairs_of_real_golds(math_golds: list[str], deepmath: list[dict]) -> None:
    golds = sorted({clean_answer(gold) for gold in math_golds + [row["ground_truth"] for row in deepmath]})
    numbers = [gold for gold in golds if as_number(gold)]
    words = [gold for gold in golds if as_words(gold)]
    rng = np.random.default_rng(0)
    pairs = {tuple(rng.choice(pool, 2).tolist()) for pool in [numbers] * 800 + [words] * 200}
    decided = [(pair, match_fast(*pair)) for pair in pairs if match_fast(*pair) is not None]
    assert len(decided) > 700
    differing = {pair for pair, same in decided if same != (match_symbolic(*pair)[0] == "correct")}
    # The rule for text is there for these: math-verify alone calls True and true different answers.
    assert differing <= {("True", "true"), ("true", "True"), ("False", "false"), ("false", "False")}


def test_agreement_with_labelled_completions(completions: list[tuple[str, str, bool]]) -> None:
    differing = [gold for text, gold, label in completions if (grade(text, gold, "math").verdict == "correct") != label]
    assert len(completions) == 800
    assert differing == ["10{,}000"]  # the label is wrong there: the completion says 10000


def test_full_path_agrees_on_real_completions(completions: list[tuple[str, str, bool]]) -> None:
    answers = {(gold, grade(text, gold, "math").extracted) for text, gold, _ in completions}
    for gold, answer in answers - {(gold, None) for gold, _ in answers}:
        cleaned = clean_answer(gold), clean_answer(answer)
        same = match_fast(*cleaned)
        assert same is None or same == (match_symbolic(*cleaned)[0] == "correct"), cleaned


def test_repetition_never_fires_on_a_right_completion(completions: list[tuple[str, str, bool]]) -> None:
    looping = [label for text, _, label in completions if repeats_itself(text)]
    assert looping == [False]
