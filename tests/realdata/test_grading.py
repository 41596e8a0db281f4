"""The grader on real golds and real completions."""

import json
import random
import re
from collections import Counter
from pathlib import Path

import math_verify
import numpy as np
import pytest

from rlvr.core.boxed import last_boxed
from rlvr.core.errors import InputError
from rlvr.grading.grader import check_gold, grade
from rlvr.grading.mathematics.answers import as_number, as_words, clean_answer
from rlvr.grading.mathematics.costs import is_hostile
from rlvr.grading.mathematics.expressions import evaluate
from rlvr.grading.mathematics.lists import split_top_level, unwrap
from rlvr.grading.mathematics.math_answers import match_fast, match_symbolic
from rlvr.rewards.formatting import repeats_itself


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
    assert differing == set()


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


@pytest.fixture(scope="module")
def solutions(real_data: Path) -> list[str]:
    return [row["solution"] for row in read_rows(real_data / "benchmarks" / "math_test.jsonl")]


def test_every_solution_is_right_by_its_own_last_box(solutions: list[str]) -> None:
    verdicts = Counter(grade(text, last_boxed(text) or "", "math").verdict for text in solutions)
    assert verdicts == {"correct": 5000}


@pytest.fixture(scope="module")
def other_forms(real_data: Path) -> list[dict]:
    """Gold, a right answer in another form and a wrong one, 125 times."""
    return json.loads((real_data / "labelled" / "hardverify_math_125.json").read_text())


def judge(answer: str, gold: str) -> str:
    """Our verdict; one of the 125 golds has a stray $ and a gold that cannot be read is nobody's fault here."""
    try:
        return grade(rf"\boxed{{{answer}}}", gold, "math").verdict
    except InputError:
        return "unreadable gold"


def judged_by_math_verify(answer: str, gold: str) -> bool:
    """math-verify alone, asked as its documentation shows."""
    golds, answers = (
        math_verify.parse(text, parsing_timeout=None)
        for text in (f"${clean_answer(gold)}$", rf"\boxed{{{clean_answer(answer)}}}")
    )
    return bool(golds and answers) and math_verify.verify(golds, answers, timeout_seconds=None)


def test_more_right_answers_and_no_more_wrong_ones_than_math_verify_alone(other_forms: list[dict]) -> None:
    right = [judge(row["fn_output"], row["ground_truth"]) == "correct" for row in other_forms]
    wrong = [judge(row["tn_output"], row["ground_truth"]) == "correct" for row in other_forms]
    assert sum(judged_by_math_verify(row["fn_output"], row["ground_truth"]) for row in other_forms) == 102
    assert sum(right) >= 120
    assert sum(wrong) <= 1  # the one where the answer that was called wrong is right


VALUE_DIGIT = re.compile(
    r"(?<![A-Za-z_(\d])\d(?!\d*\s*(?:\)\s*=|:))"
)  # not the 10 of T(10) = 2: no gold says what it is


def test_damaged_answers_are_not_let_through_by_our_rules(other_forms: list[dict]) -> None:
    rng = random.Random(0)
    accepted = []
    for row in other_forms:
        places = [digit.start() for digit in VALUE_DIGIT.finditer(row["fn_output"])]
        for place in rng.sample(places, min(2, len(places))):
            old = row["fn_output"]
            damaged = f"{old[:place]}{(int(old[place]) + rng.randrange(1, 9)) % 10}{old[place + 1 :]}"
            if judge(damaged, row["ground_truth"]) == "correct":
                accepted.append((row["ground_truth"], damaged))
    assert [pair for pair in accepted if not judged_by_math_verify(pair[1], pair[0])] == []


def test_answers_to_other_problems_are_not_let_through_by_our_rules(other_forms: list[dict]) -> None:
    rng = random.Random(0)
    pairs = [(row["ground_truth"], rng.choice(other_forms)["fn_output"]) for row in other_forms]
    accepted = [(gold, answer) for gold, answer in pairs if judge(answer, gold) == "correct"]
    assert [pair for pair in accepted if not judged_by_math_verify(pair[1], pair[0])] == []


def test_honest_golds_are_not_hostile(solutions: list[str], deepmath: list[dict], other_forms: list[dict]) -> None:
    golds = {last_boxed(text) or "" for text in solutions} | {row["ground_truth"] for row in deepmath + other_forms}
    hostile = [gold for gold in golds if is_hostile(clean_answer(gold))]
    assert len(hostile) <= 1 and not any(is_hostile(gold, gold) for gold in golds)  # one is 2^{-2^{2001}}


def test_expressions_and_lists_agree_with_the_full_path(solutions: list[str], deepmath: list[dict]) -> None:
    golds = {clean_answer(last_boxed(text) or "") for text in solutions} | {row["ground_truth"] for row in deepmath}
    pool = sorted(gold for gold in golds if as_number(gold) is None)
    pools = [one for one in pool if evaluate(one)], [one for one in pool if len(split_top_level(unwrap(one)[1])) > 1]
    rng = random.Random(0)
    decided = 0
    for _ in range(150):
        for some in pools:
            gold = rng.choice(some)
            answer = rng.choice(
                [gold.replace("+", " + "), gold.replace(",", ", "), gold.replace("1", "2"), rng.choice(some)]
            )
            same = match_fast(gold, answer)
            if same is not None and gold != answer:
                decided += 1
                assert same == (match_symbolic(gold, answer)[0] == "correct"), (gold, answer)
    assert decided > 80
