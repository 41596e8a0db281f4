r"""Values of releases that are not what a column promises: read rightly, or refused with the row's number."""

import json

import pandas as pd
import pyarrow as pa
import pytest

from rlvr.core.errors import InputError
from rlvr.data.contamination import find_matches, index_benchmarks, normalise_text
from rlvr.data.curation import read_source
from rlvr.data.filters import find_conflicts, is_first, normalise_question
from rlvr.data.normalise import same_signs
from rlvr.data.readers import clean_gold, get_reader, read_problems
from rlvr.data.tabular import TableRows, collect_rows
from rlvr.grading.enigmata.verify import judge
from rlvr.grading.grader import check_gold, grade


def read(reader: str, **columns: list) -> pd.DataFrame:
    return read_problems(pd.DataFrame(columns), reader, source="toy", dataset="set", where="toy.jsonl")


def golds_of(*answers: object) -> list[str]:
    return read("question-answer", question=["q"] * len(answers), answer=list(answers))["answer"].tolist()


@pytest.mark.parametrize(
    "gold",
    [
        ["1", "2"],
        ["5"],
        {"value": "5"},
        ("5",),
        '["5"]',
        '["1", "2"]',
        "['1', '2']",
        '{"value": "5"}',
        "{'a': 1}",
        '[["5"]]',
        '[{"a": 1}]',
    ],
)
def test_golds_that_are_no_scalar_are_refused_with_their_row(gold: object) -> None:
    with pytest.raises(InputError, match=r"toy.jsonl, column 'answer': row 2 holds .*(list or an object)"):
        golds_of("1", gold)


@pytest.mark.parametrize(
    "gold", ["[1, 2]", "[0,1)", r"\{1, 2\}", "{1, 2}", r"[-\frac{1}{2}, 3]", "(1, 2)", "a'", r"\text{[a]}", "[x]", "[]"]
)
def test_intervals_and_sets_are_golds(gold: str) -> None:
    assert golds_of(gold) == [gold]


@pytest.mark.parametrize(
    "gold", ["\frac{1}{2}", "\text{B}", "2 \times 3", "\boxed{2}", "a\neq b", "\rho", "\x00", "\theta"]
)
def test_golds_that_lost_their_backslash_are_refused(gold: str) -> None:
    with pytest.raises(InputError, match=r"row 2 holds .*a control character, where a backslash was lost"):
        golds_of("1", f"3{gold}")


def skywork(*golds: str) -> list[str]:
    rows = len(golds)
    columns = {
        "prompt": [[{"content": "q", "role": "user"}]] * rows,
        "reward_model.ground_truth": list(golds),
        "data_source": ["train-math-deepscaler"] * rows,
        "extra_info.model_difficulty.DeepSeek-R1-Distill-Qwen-32B": [1] * rows,
    }
    return read("skywork", **columns)["answer"].tolist()


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (r'["\\frac{1}{2}"]', r"\frac{1}{2}"),
        (r'["\frac{1}{2}"]', r"\frac{1}{2}"),
        (r'["\text{B}"]', r"\text{B}"),
        (r'["\sqrt{2}"]', r"\sqrt{2}"),
        (r'["2 \times 3", "6"]', r"2 \times 3"),
        (r'["\\text{a \"b\"}"]', r'\text{a "b"}'),
        ('["x = 1\\ny = 2"]', "x = 1\ny = 2"),
        ("[7]", "7"),
        ("[]", ""),
        ("[null]", ""),
        ("", ""),
    ],
)
def test_json_golds(gold: str, answer: str) -> None:
    assert skywork(gold) == [answer]


@pytest.mark.parametrize("gold", ['[["1"], "2"]', '[{"value": "5"}]', '{"value": "5"}', "7", '["a"', '"7"'])
def test_json_golds_that_are_no_list_of_answers(gold: str) -> None:
    with pytest.raises(InputError, match=r"row 2 holds .*: not a JSON list of answers"):
        skywork('["1"]', gold)


def test_nested_only_answers_are_refused() -> None:
    with pytest.raises(InputError, match=r"row 1 holds .*not a list of one answer"):
        read("olympiadbench", question=["q"], final_answer=[[["1", "2"]]], subfield=["x"])


def test_whole_numbers_beside_missing_ones_stay_whole(tmp_path) -> None:
    table = pa.table({"question": ["a", "b", "c"], "answer": pa.array([12345678901234567, None, 5])})
    rows = tmp_path / "rows.parquet"
    collect_rows([("toy.jsonl", TableRows(table))], get_reader("question-answer"), rows, "toy")
    provenance = {"reader": "question-answer", "source": "toy", "files": [{"file": "toy.jsonl", "rows": 3}]}
    assert read_source(rows, provenance, "set")["answer"].tolist() == ["12345678901234567", "", "5"]


def test_difficulties_and_meta_beside_missing_ones_stay_what_they_were(tmp_path) -> None:
    columns = {
        "problem": ["a", "b"],
        "answer": ["1", "2"],
        "level": [3, None],
        "subject": ["x", "y"],
        "unique_id": ["i", "j"],
    }
    rows = tmp_path / "rows.parquet"
    collect_rows([("toy.jsonl", TableRows(pa.table(columns)))], get_reader("math-500"), rows, "toy")
    provenance = {"reader": "math-500", "source": "toy", "files": []}
    found = read_source(rows, provenance, "set")["difficulty"]
    assert found[0] == 3.0 and pd.isna(found[1]) and found.dtype == float


def test_whole_numbers_in_a_column_of_floats() -> None:
    assert golds_of(5.0, None, 2.5) == ["5", "", "2.5"]
    with pytest.raises(InputError, match=r"row 1 holds '1.2345678901234568e.16': a whole number that was rounded"):
        golds_of(12345678901234567.0, None)


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("What?", "What?"),
        ([{"type": "text", "text": "What "}, {"type": "text", "text": "is it?"}], "What is it?"),
        ([{"text": "What?"}], "What?"),
        (["What ", "is it?"], "What is it?"),
        (None, ""),
        ([], ""),
    ],
)
def test_turns_in_parts_are_joined(content: object, question: str) -> None:
    turns = [{"content": content, "role": "user"}]
    columns = {"prompt": [turns], "reward_model.ground_truth": ["1"], "extra_info.index": [1], "data_source": ["x"]}
    assert read("verl-index", **columns)["question"].tolist() == [question]


@pytest.mark.parametrize(
    "content", [[{"type": "image", "image": "a.png"}], [{"type": "text", "text": None}], {"text": "What?"}, 3]
)
def test_turns_that_are_no_text_name_their_row(content: object) -> None:
    turns = [[{"content": said, "role": "user"}] for said in ("What?", content)]
    columns = {
        "prompt": turns,
        "reward_model.ground_truth": ["1"] * 2,
        "extra_info.index": [1, 2],
        "data_source": ["x"] * 2,
    }
    with pytest.raises(InputError, match=r"row 2 holds .*not a conversation with one user turn of text"):
        read("verl-index", **columns)


def test_questions_that_are_lists_name_their_row() -> None:
    with pytest.raises(InputError, match=r"column 'question': row 2 holds .*a list or an object"):
        read("question-answer", question=["q", [{"content": "What?"}]], answer=["1", "2"])


@pytest.mark.parametrize(
    ("solution", "gold"),
    [
        (r"so it is $\boxed 2$.", "2"),
        (r"$x=\boxed 9$", "9"),
        (r"\boxed{7} (in \boxed{})", "7"),
        (r"\boxed\frac12", r"\frac12"),
    ],
)
def test_golds_of_solutions_whose_box_has_no_braces(solution: str, gold: str) -> None:
    assert read("minerva", problem=["q"], solution=[solution], type=["t"], idx=[1])["answer"].tolist() == [gold]


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        (r"\boxed 2", "2"),
        (r"$\boxed{2}$", "2"),
        (r"\boxed{1} or 2", r"\boxed{1} or 2"),
        (r"\boxed 2 or 3", r"\boxed 2 or 3"),
    ],
)
def test_golds_that_are_one_box(text: str, gold: str) -> None:
    assert clean_gold(text) == gold


@pytest.mark.parametrize(
    ("line", "gold"),
    [("#### 1,500", "1500"), ("#### 1,234,567.5", "1234567.5"), ("#### -12", "-12"), ("#### $1,200", "$1200")],
)
def test_thousands_of_gsm8k(line: str, gold: str) -> None:
    assert read("gsm8k", question=["q"], answer=[f"so\n{line}"])["answer"].tolist() == [gold]


@pytest.mark.parametrize("line", ["#### 1,5", "#### 1, 5", "#### 12,34", "#### 1,2345", "#### ,5", "#### 1,500,2"])
def test_other_commas_of_gsm8k_are_refused(line: str) -> None:
    with pytest.raises(InputError, match=r"(?s)row 1 holds .*a comma in it that separates no thousands"):
        read("gsm8k", question=["q"], answer=[f"so\n{line}"])


def problems(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [(f"p{number}", *row) for number, row in enumerate(rows)], columns=["problem_id", "question", "answer"]
    )


def test_two_golds_for_one_question_are_found() -> None:
    found = find_conflicts(
        problems(
            ("Find x.", "64"), ("find  X.", "6"), ("Find y.", "1"), ("Find y.", " 1"), ("Find z.", "1"), ("Find z.", "")
        )
    )
    assert found == [{"problem_ids": ["p0", "p1"], "golds": ["64", "6"]}]


@pytest.mark.parametrize(
    ("one", "other"),
    [("2\u00b3", "23"), ("x\u2082", "x2"), ("2\u00bd", "21/2"), ("\u2460\u2461", "12"), ("10\u207b\u00b9", "10-1")],
)
def test_powers_and_indices_are_no_digits(one: str, other: str) -> None:
    first, second = (f"What is {text} plus one, in the usual notation?" for text in (one, other))
    assert normalise_question(first) != normalise_question(second)
    assert normalise_text(first) != normalise_text(second)
    assert is_first(problems((first, "1"), (second, "2"))).tolist() == [True, True]
    words = "one two three four five six seven eight nine ten eleven"
    index = index_benchmarks({"bench": [("b", f"{words} {one} {words}")]})
    assert not [match for match in find_matches([("t", f"x {other} {words[:-1]}")], index)]


@pytest.mark.parametrize(
    ("one", "other"),
    [("\uff12\uff13", "23"), ("\ufb01nd", "find"), ("\U0001d465", "x"), ("a\u00a0b", "a b"), ("e\u0301", "\u00e9")],
)
def test_typography_is_no_difference(one: str, other: str) -> None:
    assert same_signs(one) == same_signs(other)


@pytest.mark.parametrize(
    "gold",
    [
        "nan",
        "NaN",
        "None",
        "none.",
        "N/A",
        "n/a",
        "NA",
        "?",
        "??",
        "see solution",
        "See the solution.",
        "null",
        "-",
        "...",
        r"\text{None}",
        "Unknown",
        "TBD",
        "(none)",
        "[]",
        "Answer omitted",
    ],
)
def test_golds_that_stand_for_none_are_refused(gold: str) -> None:
    with pytest.raises(InputError, match="is not an answer but stands for one"):
        check_gold(gold, "math")


@pytest.mark.parametrize(
    "gold",
    [
        "No",
        "0",
        "-1",
        r"\emptyset",
        r"\infty",
        "A",
        "n",
        "a/n",
        "x<5",
        "Na",
        r"\text{no solution}",
        r"\text{none of these}",
    ],
)
def test_short_golds_are_golds(gold: str) -> None:
    check_gold(gold, "math")


@pytest.mark.parametrize(
    ("text", "verdict"), [("09*9", "unparsed"), ("9*9", "correct"), ("09*09", "unparsed"), ("(9)*9", "correct")]
)
def test_leading_zeros_are_no_numbers_of_the_release(text: str, verdict: str) -> None:
    meta = json.dumps({"question": [9, 9], "target": 81})
    assert judge(f"```\n{text}\n```", "The answer is: 9*9=81", meta, "countdown").verdict == verdict
    assert judge(f"```\n{text}\n```", "The answer is: 9*9=81", meta, "countdown", "rules").verdict == "correct"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{7} then $\boxed 3$", "3"),
        (r"\boxed7", "7"),
        (r"\boxed{7} (inside \boxed{})", "7"),
        (r"$\boxed\frac12$", "0.5"),
    ],
)
def test_boxes_as_they_are_written(text: str, answer: str) -> None:
    assert grade(text, answer, "math").verdict == "correct"
