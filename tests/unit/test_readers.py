"""Readers: released columns in, problems out; wrong values named by row."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.core.boxed import last_boxed
from rlvr.core.errors import InputError
from rlvr.data.readers import READERS, clean_gold, get_reader, read_problems
from rlvr.data.synthetic import synthetic_rows

DEEPMATH = pd.DataFrame(
    {
        "question": [" one? ", "two?", None],
        "final_answer": ["$1$", r"\boxed{\frac{1}{2}}", None],
        "difficulty": [8.5, -1.0, np.nan],
        "topic": ["Mathematics -> Algebra", "Mathematics -> Geometry", None],
    }
)


def read(raw: pd.DataFrame, reader: str) -> pd.DataFrame:
    return read_problems(raw, reader, source="toy", dataset="set", where="toy.jsonl")


def test_deepmath_rows():
    problems = read(DEEPMATH, "deepmath")
    assert list(problems["problem_id"]) == ["toy/1", "toy/2", "toy/3"]
    assert list(problems["question"]) == ["one?", "two?", ""]
    assert list(problems["answer"]) == ["1", r"\frac{1}{2}", ""]
    np.testing.assert_array_equal(problems["difficulty"], [8.5, -1.0, np.nan])
    assert set(problems["dataset"]) == {"set"}
    assert set(problems["verifier"]) == {"math"}


def test_math_levels_and_gold_from_the_solution():
    raw = pd.DataFrame(
        {
            "problem": ["a", "b", "c"],
            "level": ["Level 3", "Level ?", "Level 1"],
            "type": ["Algebra"] * 3,
            "solution": [r"so $\boxed{1}$, hence $\boxed{\sqrt{2}}$.", r"\boxed{7", "no box"],
        }
    )
    problems = read(raw, "math")
    np.testing.assert_array_equal(problems["difficulty"], [3.0, np.nan, 1.0])
    assert list(problems["answer"]) == [r"\sqrt{2}", "", ""]
    assert list(problems["topic"]) == ["Algebra"] * 3


def test_roll_difficulties_are_text():
    raw = pd.DataFrame(
        {"id": ["7", "9"], "prompt": ["a", "b"], "ground_truth": ["Yes", "2"], "difficulty": ["8.5", ""]}
    )
    problems = read(raw, "roll")
    assert list(problems["problem_id"]) == ["toy/7", "toy/9"]
    np.testing.assert_array_equal(problems["difficulty"], [8.5, np.nan])


def test_aime_prompt_loses_its_instruction_only():
    ending = "\nPlease reason step by step, and put your final answer within \\boxed{}."
    raw = pd.DataFrame({"prompt": ["Find $n$." + ending, "Put \\boxed{} here."], "answer": [70, 25]})
    problems = read(raw, "aime-prompt")
    assert list(problems["question"]) == ["Find $n$.", "Put \\boxed{} here."]
    assert list(problems["answer"]) == ["70", "25"]


def test_aime_answers_lose_leading_zeros_and_decimals_but_not_their_meta():
    raw = pd.DataFrame({"id": [60, 61], "problem": ["a", "b"], "answer": ["025", "27.0"], "url": ["u", "v"]})
    problems = read(raw, "aime")
    assert list(problems["answer"]) == ["25", "27"]
    assert [json.loads(meta) for meta in problems["meta"]] == [{"url": "u"}, {"url": "v"}]


@pytest.mark.parametrize("source", ["deepmath-103k", "math", "aime-2025", "aime-2026"])
def test_synthetic_stand_ins_are_read_by_the_released_reader(source):
    reader = {"deepmath-103k": "deepmath", "math": "math"}.get(source, "matharena")
    problems = read(synthetic_rows(source, 50, np.random.default_rng(0)), reader)
    assert len(problems) == 50
    assert (problems[["question", "answer"]] != "").all(axis=None)
    assert problems["problem_id"].is_unique


@pytest.mark.parametrize(
    ("reader", "change", "message"),
    [
        ("deepmath", {"difficulty": ["8.5", "9.0", "9.5"]}, r"'difficulty': row 1 holds '8.5': not a number"),
        ("deepmath", {"difficulty": [8.5, "hard", 3.0]}, r"row 2 holds 'hard': not a number"),
        ("deepmath", {"difficulty": [8.5, 3.0, np.inf]}, r"row 3 holds 'inf': infinite"),
        (
            "roll",
            {"difficulty": ["8.5", "9", "hard"]},
            r"toy\.jsonl, column 'difficulty': row 3 holds 'hard': no number",
        ),
        ("roll", {"difficulty": ["8.5", "nan", "9"]}, r"row 2 holds 'nan'"),
        ("roll", {"id": ["1", "2", "1"]}, r"row 3 repeats the id '1'"),
        ("math", {"level": ["Level 1", "Level 6", "Level 2"]}, r"row 2 holds 'Level 6': no level"),
        ("math", {"level": ["Level 1", "3", "Level 2"]}, r"row 2 holds '3': no level"),
        ("matharena", {"answer": ["70", "588", r"336^\circ"]}, r"row 3 holds '336.*no integer answer"),
        ("matharena", {"answer": ["70", "5.5", "1"]}, r"row 2 holds '5.5'"),
    ],
)
def test_wrong_values_stop_with_file_column_row_and_value(reader, change, message):
    good = {
        "deepmath": DEEPMATH,
        "roll": pd.DataFrame({"id": ["1", "2", "3"], "prompt": "p", "ground_truth": "1", "difficulty": "8.5"}),
        "math": pd.DataFrame({"problem": list("abc"), "level": "Level 1", "type": "t", "solution": r"\boxed{1}"}),
        "matharena": pd.DataFrame({"problem_idx": [1, 2, 3], "problem": list("abc"), "answer": "1"}),
    }[reader]
    assert len(read(good, reader)) == 3
    with pytest.raises(InputError, match=message):
        read(good.assign(**{name: pd.Series(values) for name, values in change.items()}), reader)


@pytest.mark.parametrize("reader", READERS)
def test_every_declared_column_is_required(reader):
    columns = get_reader(reader).columns
    for missing in columns:
        present = [column for column in columns if column != missing]
        with pytest.raises(InputError, match=rf"toy\.jsonl: lacks the column '{missing}'.*Expected: {columns[0]}"):
            read(pd.DataFrame(columns=present), reader)


def test_unknown_reader_lists_the_known_ones():
    with pytest.raises(InputError, match=r"reader 'csv': unknown.*deepmath, roll, math"):
        get_reader("csv")


@pytest.mark.parametrize(
    ("gold", "bare"),
    [
        (" 12 ", "12"),
        ("$x^2$", "x^2"),
        (r"\boxed{3}", "3"),
        (r"$\boxed{ \frac{1}{2} }$", r"\frac{1}{2}"),
        (r"\boxed{1} or \boxed{2}", r"\boxed{1} or \boxed{2}"),
        ("$1$ and $2$", "$1$ and $2$"),
        ("$", "$"),
    ],
)
def test_clean_gold(gold, bare):
    assert clean_gold(gold) == bare


def slow_last_boxed(text: str) -> str | None:
    """Every position tried, braces counted anew from each: quadratic, and short enough to believe."""
    found = None
    for start in range(len(text)):
        if text.startswith(r"\boxed{", start):
            depth, position = 1, start + len(r"\boxed{")
            while depth and position < len(text):
                if text[position] == "\\":
                    position += 1
                else:
                    depth += {"{": 1, "}": -1}.get(text[position], 0)
                position += 1
            if not depth:
                found = text[start + len(r"\boxed{") : position - 1]
    return found


@given(st.lists(st.sampled_from([r"\boxed{", "{", "}", r"\{", r"\}", "x", " ", r"\frac", "\n", "{}"]), max_size=30))
def test_last_boxed_equals_the_slow_scan(pieces):
    text = "".join(pieces)
    assert last_boxed(text) == slow_last_boxed(text)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (r"\boxed{1} and \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{1} cut \boxed{2", "1"),
        (r"\boxed{a \boxed{b} c}", "b"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed {3}", "3"),
        (r"line\\\boxed{4}", "4"),
        (r"\\boxed{5}", "5"),
        (r"\boxed{}", ""),
        (r"\fbox{6} \boxedx{7}", None),
        ("", None),
    ],
)
def test_last_boxed(text, content):
    assert last_boxed(text) == content


@pytest.mark.parametrize("text", ["\\" * 200_000, "{" * 200_000, r"\boxed{" * 50_000, "\\boxed" + " " * 200_000])
def test_last_boxed_is_linear_on_hostile_text(text):
    assert last_boxed(text + r"\boxed{9}") == "9"
