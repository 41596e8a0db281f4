"""Readers: released columns in, problems out; wrong values named by row."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.core.boxed import last_boxed
from rlvr.core.errors import InputError
from rlvr.data.readers import READERS, clean_gold, get_reader, read_problems, strip_instruction
from rlvr.data.readers.rules import contains, equals, first_of_each
from rlvr.synthetic.sources import synthetic_rows

DEEPMATH = pd.DataFrame(
    {
        "question": [" one? ", "two?", None],
        "final_answer": ["$1$", r"\boxed{\frac{1}{2}}", None],
        "difficulty": [8.5, -1.0, np.nan],
        "topic": ["Mathematics -> Algebra", "Mathematics -> Geometry", None],
    }
)

GROUND_TRUTH = "reward_model.ground_truth"
JUDGE = "extra_info.model_difficulty.DeepSeek-R1-Distill-Qwen-32B"
TURN = [{"content": "How many?", "role": "user"}]
MBPP = {
    "task_id": [1, 2, 3],
    "text": "write",
    "code": "def f(): pass",
    "test_setup_code": "",
    "test_list": [["assert f() is None", "assert not f()"]] * 3,
    "challenge_test_list": [[]] * 3,
}


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


def test_skywork_rows_take_the_first_answer_of_the_list_and_keep_all_as_meta():
    turns = [{"content": "Be brief.", "role": "system"}, {"content": " How many? ", "role": "user"}]
    raw = pd.DataFrame(
        {
            "prompt": [turns, TURN, None],
            GROUND_TRUTH: ['["15625"]', r'["$\\frac{1}{2}$", "0.5"]', "[]"],
            JUDGE: [13, None, 16],
            "data_source": "train-math-deepscaler",
        }
    )
    problems = read(raw, "skywork")
    assert list(problems["question"]) == ["How many?", "How many?", ""]
    assert list(problems["answer"]) == ["15625", r"\frac{1}{2}", ""]
    np.testing.assert_array_equal(problems["difficulty"], [13, np.nan, 16])
    assert json.loads(problems["meta"][1]) == {GROUND_TRUTH: r'["$\\frac{1}{2}$", "0.5"]'}


@pytest.mark.parametrize("golds", ["[]", "[null]", "[NaN]", '[""]', "", None])
def test_a_list_without_an_answer_gives_none(golds):
    raw = pd.DataFrame({"prompt": [TURN], GROUND_TRUTH: [golds], JUDGE: [13], "data_source": ["s"]})
    assert read(raw, "skywork")["answer"][0] == ""


@pytest.mark.parametrize(
    "prompt",
    [
        "Find $n$.",
        " Find $n$.\nPlease reason step by step, and put your final answer within \\boxed{}.",
        "Find $n$. Let's think step by step and output the final answer within \\boxed{}.",
        "Solve the following math problem step by step. End with Answer: $Answer.\n\nFind $n$.\n\n"
        'Remember to put your answer on its own line after "Answer:".',
    ],
)
def test_instructions_around_a_problem_are_left_out(prompt):
    assert strip_instruction(prompt) == "Find $n$."


def test_rows_are_named_by_their_number_in_the_release():
    raw = pd.DataFrame({"question": ["a", "b"], "answer": ["#### 1,000", "no"]})
    with pytest.raises(InputError, match="row 40 holds 'no'"):
        read_problems(raw, "gsm8k", "toy", "set", "toy.jsonl", rows=np.array([7, 40]))
    problems = read_problems(raw.assign(answer="x\n#### 1,000"), "gsm8k", "toy", "set", "toy.jsonl", np.array([7, 40]))
    assert list(problems["problem_id"]) == ["toy/7", "toy/40"]
    assert list(problems["answer"]) == ["1000", "1000"]


def test_code_tasks_show_their_tests_and_keep_them_as_meta():
    problems = read(pd.DataFrame(MBPP), "mbpp")
    assert problems["question"][0].splitlines() == [
        "write",
        "It must pass these tests:",
        "assert f() is None",
        "assert not f()",
    ]
    assert set(problems["verifier"]) == {"code"}
    assert json.loads(problems["meta"][0])["test_list"] == MBPP["test_list"][0]


def test_small_differences_between_benchmarks():
    minerva = pd.DataFrame({"problem": ["a"], "solution": [r"so \boxed{1.6} \mathrm{~cm}"], "type": "t", "idx": [0]})
    assert read(minerva, "minerva")["answer"][0] == "1.6"
    amc = pd.DataFrame({"id": [0], "question": ["a"], "answer": [27.0], "url": ["u"]})
    assert read(amc, "amc")["answer"][0] == "27"
    degrees = pd.DataFrame({"prompt": [TURN] * 2, GROUND_TRUTH: [r"336^\circ", "336"], "extra_info.id": [1, 2]})
    assert set(read(degrees, "verl-aime")["answer"]) == {"336"}
    olympiad = pd.DataFrame({"question": ["a", "b"], "final_answer": [["$2$"], None], "subfield": "Algebra"})
    assert list(read(olympiad, "olympiadbench")["answer"]) == ["2", ""]


@pytest.mark.parametrize("reader", ["deepscaler", "prompt", "question-answer"])
@pytest.mark.parametrize("gold", ["", "  ", None, np.nan, "$$"])
def test_missing_and_blank_golds_become_empty(reader, gold):
    raw = pd.DataFrame({column: ["text"] for column in get_reader(reader).columns}).assign(
        answer=pd.Series([gold], dtype=object)
    )
    assert read(raw, reader)["answer"][0] == ""


def test_row_rules():
    rows = pa.chunked_array([["a", "b", None], ["b", "a", "c/2022_AIME_I"]])
    assert list(equals("x", "a").passes(rows)) == [True, False, False, False, True, False]
    assert list(contains("x", "/2022_AIME_").passes(rows)) == [False] * 5 + [True]
    assert list(first_of_each("x").passes(rows)) == [True, True, True, False, False, True]


@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=20))
def test_first_of_each_equals_the_slow_scan(values):
    seen, expected = set(), []
    for value in values:
        expected.append(value is None or value not in seen)
        seen.add(value)
    assert list(first_of_each("x").passes(pa.chunked_array([values], pa.string()))) == expected


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
        ("matharena", {"answer": ["70", "588", r"\sqrt2"]}, r"row 3 holds '.sqrt2': no integer answer"),
        ("gsm8k", {"answer": ["#### 1", "so 2", "#### 3"]}, r"row 2 holds 'so 2': no line '#### answer'"),
        ("skywork", {GROUND_TRUTH: ['["1"]', '["2"]', "3"]}, r"row 3 holds '3': not a JSON list"),
        ("skywork", {GROUND_TRUTH: ['["1"]', '["2"', "[]"]}, r"row 2 holds '\[\"2\"': not a JSON list"),
        ("skywork", {JUDGE: [13, 17, 2]}, r"row 2 holds '17': no count from 0 to 16"),
        ("skywork", {JUDGE: ["13", "14", "2"]}, r"row 1 holds '13': not a number"),
        ("skywork", {"prompt": [TURN, [], TURN]}, r"row 2 holds '\[\]': not a conversation with one user turn"),
        ("skywork", {"prompt": [TURN, TURN, "text"]}, r"row 3 holds 'text': not a conversation"),
        ("dapo", {"extra_info.index": ["a", None, "c"]}, r"'extra_info.index': row 2 .*no id"),
        ("dapo", {"extra_info.index": ["a", "b", "b"]}, r"row 3 repeats the extra_info.index 'b'"),
        ("olympiadbench", {"final_answer": [["1"], ["2", "3"], []]}, r"row 2 holds '\['2', '3'\]': not a list of one"),
        ("mbpp", {"test_list": [["assert f()"], [], ["assert f()"]]}, r"row 2 holds 'write': a task without tests"),
        ("matharena", {"answer": ["70", "5.5", "1"]}, r"row 2 holds '5.5'"),
    ],
)
def test_wrong_values_stop_with_file_column_row_and_value(reader, change, message):
    good = {
        "deepmath": DEEPMATH,
        "roll": pd.DataFrame({"id": ["1", "2", "3"], "prompt": "p", "ground_truth": "1", "difficulty": "8.5"}),
        "math": pd.DataFrame({"problem": list("abc"), "level": "Level 1", "type": "t", "solution": r"\boxed{1}"}),
        "matharena": pd.DataFrame({"problem_idx": [1, 2, 3], "problem": list("abc"), "answer": "1"}),
        "gsm8k": pd.DataFrame({"question": list("abc"), "answer": "#### 1"}),
        "skywork": pd.DataFrame({"prompt": [TURN] * 3, GROUND_TRUTH: '["1"]', JUDGE: 13, "data_source": "s"}),
        "dapo": pd.DataFrame({"prompt": [TURN] * 3, GROUND_TRUTH: "1", "extra_info.index": list("abc")}),
        "olympiadbench": pd.DataFrame({"question": list("abc"), "final_answer": [["1"]] * 3, "subfield": "Algebra"}),
        "mbpp": pd.DataFrame(MBPP),
    }[reader]
    assert len(read(good, reader)) == 3
    with pytest.raises(InputError, match=message):
        read(good.assign(**{name: pd.Series(values) for name, values in change.items()}), reader)


@pytest.mark.parametrize("reader", READERS)
def test_every_declared_column_is_required(reader):
    declared = get_reader(reader)
    columns = [column for column in declared.columns if column not in declared.json_columns]
    for missing in columns:
        present = [column for column in columns if column != missing]
        with pytest.raises(InputError, match=rf"toy\.jsonl: lacks the column '{missing}'.*Expected: {columns[0]}"):
            read(pd.DataFrame(columns=present), reader)


def test_unknown_reader_lists_the_known_ones():
    with pytest.raises(InputError, match=r"reader 'csv': unknown.*deepmath, roll, skywork"):
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
    """Every position tried, braces counted from scratch for each: quadratic, and short enough to believe."""
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
