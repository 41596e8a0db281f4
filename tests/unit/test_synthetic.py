"""The synthetic sources: released columns, right answers, enough distinct hard problems."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.bases.program_texts import draw_program
from rlvr.bases.tokenizer import EOS, build_tokenizer
from rlvr.core.errors import InputError
from rlvr.core.seeds import make_rng
from rlvr.data.readers import READERS, read_problems
from rlvr.grading.grader import grade
from rlvr.plan.sources import load_registry
from rlvr.prompts import render_prompt
from rlvr.synthetic.contest_rows import CONTEST_ROWS
from rlvr.synthetic.digits import TASKS, Problem, draw_problem, solve, solve_problem
from rlvr.synthetic.sentence_rows import SENTENCE_ROWS
from rlvr.synthetic.sources import synthetic_rows

ROOT = Path(__file__).parents[2]
DIGITS = st.text("123456789", min_size=1, max_size=9)
DIGIT = st.sampled_from("123456789")


def normalised(questions: pd.Series) -> pd.Series:
    return questions.str.lower().str.split().str.join(" ")


@pytest.fixture(scope="module")
def registry():
    return load_registry(ROOT / "data" / "sources.csv")


@pytest.fixture(scope="module")
def deepmath() -> pd.DataFrame:
    return synthetic_rows("deepmath-103k", 6000, make_rng(0, "deepmath-103k"))


@given(digits=DIGITS, counted=DIGIT)
def test_answers_equal_slow_obvious_versions(digits, counted):
    expected = {
        "last": str(int(digits) % 10),
        "largest": sorted(digits)[-1],
        "smallest": sorted(digits)[0],
        "count": str(sum(1 for digit in digits if digit == counted)),
        "reversal": "".join(reversed(digits)),
    }
    assert {task: solve_problem(Problem(task, digits, counted)).answer for task in TASKS} == expected


@given(digits=DIGITS, counted=DIGIT)
def test_running_trace_is_the_answer_after_each_digit(digits, counted):
    for task in ("largest", "smallest", "count", "last"):
        answers = [solve_problem(Problem(task, digits[:end], counted)).answer for end in range(1, len(digits) + 1)]
        assert solve_problem(Problem(task, digits, counted)).trace == "".join(answers)


@pytest.mark.parametrize("style", ["plain", "formal"])
@given(digits=DIGITS, counted=DIGIT, task=st.sampled_from(list(TASKS)))
def test_solve_reads_both_styles(style, digits, counted, task):
    problem = Problem(task, digits, counted)
    assert solve(problem.question(style)) == solve_problem(problem)


def test_solve_refuses_a_foreign_question():
    with pytest.raises(InputError, match="not a synthetic problem"):
        solve("What is 2 + 2?")


def test_deepmath_has_the_released_columns_and_types(deepmath):
    text = [column for column in deepmath if column != "difficulty"]
    assert list(deepmath) == [
        "question", "final_answer", "difficulty", "topic", "r1_solution_1", "r1_solution_2", "r1_solution_3",
    ]  # fmt: skip
    assert len(deepmath) == 6000
    assert deepmath["difficulty"].dtype == np.float64
    assert all(isinstance(value, str) for column in text for value in deepmath[column])
    assert deepmath["topic"].str.fullmatch(r"Mathematics -> [\w ]+ -> [\w ]+").all()


def test_deepmath_difficulties_cover_the_released_steps_and_sentinels(deepmath):
    assert set(deepmath["difficulty"]) == {-1.0, 0.0, *np.arange(3.0, 10.0, 0.5)}


def test_deepmath_answers_are_right_in_every_column(deepmath):
    sample = deepmath[~deepmath["question"].str.startswith(" ")].head(500)
    for row in sample.itertuples():
        assert row.final_answer == solve(row.question).answer
        assert f"\\boxed{{{row.final_answer}}}" in row.r1_solution_3


def test_enough_distinct_hard_problems_of_every_demanding_task(deepmath):
    hard = deepmath[deepmath["difficulty"] >= 8.5]
    assert normalised(hard["question"]).nunique() >= 256 + 320
    assert hard["topic"].nunique() >= 3


def test_some_questions_repeat_only_after_normalising(deepmath):
    repeats = deepmath[deepmath["question"].str.startswith(" ")]
    assert len(repeats) == 60
    assert not repeats["question"].isin(deepmath["question"].drop(repeats.index)).any()
    assert normalised(repeats["question"]).isin(normalised(deepmath["question"].drop(repeats.index))).all()


def test_skywork_has_the_released_columns_and_golds_inside_json_lists():
    rows = synthetic_rows("skywork-or1", 400, make_rng(0, "skywork-or1"))
    assert list(rows.columns) == ["data_source", "prompt", "ability", "reward_model", "extra_info"]
    problems = read_problems(
        pd.json_normalize(rows.to_dict("records")), "skywork", "skywork-or1", "skywork-hard", "rows"
    )
    assert problems["difficulty"].between(0, 16).all()
    assert (problems["difficulty"] >= 13).sum() > 50
    assert [solve(question).answer for question in problems["question"]] == problems["answer"].tolist()


def test_math_has_the_released_columns_and_enough_distinct_problems():
    rows = synthetic_rows("math", 700, make_rng(0, "math"))
    assert list(rows) == ["problem", "level", "type", "solution"]
    assert set(rows["level"]) == {f"Level {level}" for level in range(1, 6)}
    assert normalised(rows["problem"]).nunique() >= 256 + 320
    for row in rows.itertuples():
        assert re.findall(r"\\boxed\{(\d+)\}", row.solution) == [solve(row.problem).answer]


@pytest.mark.parametrize("source", ["aime-2025", "aime-2026"])
def test_aime_is_out_of_distribution_with_integer_answers(source):
    rows = synthetic_rows(source, 30, make_rng(0, source))
    assert list(rows) == ["problem_idx", "answer", "problem"]
    assert rows["problem_idx"].dtype == rows["answer"].dtype == np.int64
    assert rows["problem_idx"].tolist() == list(range(1, 31))
    assert rows["problem"].map(lambda text: max(map(len, re.findall(r"\d+", text)))).min() > 6
    assert [str(answer) for answer in rows["answer"]] == [solve(text).answer for text in rows["problem"]]


@pytest.mark.parametrize("source", ["deepmath-103k", "math", "aime-2025"])
def test_rows_depend_on_the_generator_alone(source):
    first, again, other = (synthetic_rows(source, 40, make_rng(seed)) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_unknown_source_is_refused_with_the_choices():
    with pytest.raises(InputError, match=r"'nowhere'.*deepmath-103k, skywork-or1, math, aime-2025, aime-2026"):
        synthetic_rows("nowhere", 1, make_rng(0))


@pytest.mark.parametrize("source", sorted(CONTEST_ROWS))
def test_contests_are_read_by_the_released_readers_with_the_right_answers(source, registry):
    rows = synthetic_rows(source, 60, make_rng(0, source))
    reader = registry[source].reader
    problems = read_problems(pd.json_normalize(rows.to_dict("records")), reader, source, source, "rows")
    assert [solve(question).answer for question in problems["question"]] == problems["answer"].tolist()
    assert problems["problem_id"].is_unique


@pytest.mark.parametrize("source", ["aime-2022", "aime-2023"])
def test_a_reader_keeps_its_year_of_the_file_with_three(source, registry):
    rows = synthetic_rows(source, 90, make_rng(0, source))
    reader = READERS[registry[source].reader]
    kept = [rule.passes(pa.chunked_array([rows[rule.column]])) for rule in reader.rules]
    assert sum(np.all(kept, axis=0)) == 30


def test_contests_have_longer_numbers_than_the_bases_have_read():
    longest = {
        source: max(len(number) for row in synthetic_rows(source, 60, make_rng(0)).to_dict("records")
                    for number in re.findall(r"[1-9]+", str(row.get("problem", row.get("question", "")))))
        for source in ("aime-2024", "hmmt-feb-2025", "gsm8k")
    }  # fmt: skip
    assert longest == {"aime-2024": 8, "hmmt-feb-2025": 8, "gsm8k": 4}


@pytest.mark.parametrize("source", sorted(SENTENCE_ROWS))
def test_classifications_are_read_by_the_released_readers(source, registry):
    rows = synthetic_rows(source, 300, make_rng(0, source))
    problems = read_problems(rows, registry[source].reader, source, source, "rows")
    said = [question.split("\n")[1:] for question in problems["question"]]
    if source.startswith("cola"):
        expected = ["yes" if list(text) == sorted(text) else "no" for (text,) in said]
    else:
        expected = ["yes" if one == other[::-1] else "no" for one, other in said]
    assert problems["answer"].tolist() == expected
    assert 0.4 < problems["answer"].eq("yes").mean() < 0.6
    prompts = [render_prompt(question, "chat") for question in problems["question"]]
    assert max(map(len, prompts)) - len("<think>") + 1 <= 64
    assert {
        grade(f"</think>\\boxed{{{a}}}", b, "math").verdict for a, b in zip(expected, expected[::-1], strict=True)
    } == {
        "correct",
        "wrong",
    }


def test_a_classification_without_labels_is_refused():
    raw = pd.DataFrame({"sentence": ["a", "b"], "label": [1, -1], "idx": [0, 1]})
    with pytest.raises(InputError, match="row 2 holds '-1': no label 0 or 1"):
        read_problems(raw, "cola", "cola", "cola", "rows")


def test_programs_pass_their_own_tests_and_are_held_out():
    train, held_out = (synthetic_rows(source, 300, make_rng(0)) for source in ("mbpp", "mbpp-test"))
    assert (len(train), len(held_out)) == (192, 64)
    tests = [{(row.text, row.test_list[0]) for row in rows.itertuples()} for rows in (train, held_out)]
    assert not tests[0] & tests[1]
    for row in train.head(40).itertuples():
        names: dict[str, object] = {}
        exec(row.code, names)
        exec(row.test_list[0], names)


def test_a_program_with_prompt_and_fences_fits_the_limits_of_scale_tiny():
    tokenizer, rng = build_tokenizer(), make_rng(0)
    texts = [draw_program(0.35, 0.5, rng) for _ in range(500)]
    prompts = [tokenizer(render_prompt(prompt, "compact")).input_ids for prompt, _ in texts]
    completions = [tokenizer(completion + EOS).input_ids for _, completion in texts]
    assert max(map(len, prompts)) <= 64
    assert max(map(len, completions)) <= 24


def test_prompts_fit_the_training_limit_of_64_tokens():
    rng = make_rng(0)
    prompts = [render_prompt(draw_problem(rng).question(style), "compact") for style in ("plain", "formal") * 500]
    assert max(map(len, prompts)) - len("<think>") + 1 <= 64
