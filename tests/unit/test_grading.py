"""The grader: every verdict, its boundaries, its fast path and its limits."""

import ast
import threading
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import GOLDS, STAND_INS, mutated

from rlvr.core.errors import InputError
from rlvr.core.io import write_json
from rlvr.data.gold_grades import grade_golds, grade_golds_file
from rlvr.evaluate.grades import grade_file, grade_samples
from rlvr.evaluate.sampled import record_of
from rlvr.grading import grader
from rlvr.grading.batches import Resources
from rlvr.grading.grader import check_gold, grade
from rlvr.grading.mathematics import math_answers
from rlvr.grading.mathematics.answers import as_number, clean_answer, vote_key
from rlvr.grading.mathematics.costs import is_hostile
from rlvr.grading.mathematics.math_answers import match_fast, match_symbolic
from rlvr.grading.time_limit import TimedOutError, time_limit
from rlvr.grading.verdicts import Grade, Verdict
from rlvr.tables import PROBLEMS, SAMPLES, VERDICTS

LIBRARY = Path(grader.__file__).resolve().parents[1]


def verdict(answer: str, gold: str) -> str:
    return grade(rf"<think>well</think> so \boxed{{{answer}}}", gold, "math").verdict


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("5", "5"), ("5", "5."), ("5", "5.0"), ("5", "+5"), ("5", " $5$ "), ("5", "x=5"), ("5", r"5\text{ cm}"),
        ("113", "113."), ("1000", "1,000"), ("10{,}000", "10000"), ("0.5", r"\frac12"), (r"\frac{1}{2}", "2/4"),
        (r"-\frac{1}{2}", r"\frac{-1}{2}"), ("1/3", "0.333333"), (r"2\sqrt{3}", r"\sqrt{12}"), ("x+y", "y+x"),
        ("Yes", "yes"), ("Yes", r"\text{Yes.}"), ("True", "**true**"), ("A", "a"), (r"\text{(B)}", "B"), ("B", "(b)"),
        ("1<x<2", "(1,2)"), (r"\mathbb{Z}/2\mathbb{Z}", r"\mathbb{Z} / 2 \mathbb{Z}"), (r"336^\circ", "336"),
    ],
)  # fmt: skip
def test_right_answers_in_another_form(gold: str, answer: str) -> None:
    assert verdict(answer, gold) == "correct"


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("5", "6"), ("5", "-5"), ("2", "2.01"), ("1/3", "0.33"), ("Yes", "No"), ("No", "on"), ("Yes", "1"),
        (r"2\sqrt{3}", "2"), ("27", "26, 27"), ("x", "y"), ("(1,2)", "1<x<2"), ("1,234", "1.234"),
    ],
)  # fmt: skip
def test_wrong_answers(gold: str, answer: str) -> None:
    assert verdict(answer, gold) == "wrong"


def test_only_the_last_box_counts() -> None:
    assert grade(r"\boxed{26} no wait \boxed{27}", "27", "math").verdict == "correct"
    assert grade(r"\boxed{27} no wait \boxed{26}", "27", "math").verdict == "wrong"


def test_tags_are_stripped_before_the_box_is_sought() -> None:
    assert grade(r"\boxed{1<answer>2</answer>}", "12", "math").verdict == "correct"


def test_missing_and_empty_answers_are_unparsed() -> None:
    assert grade("the answer is 5", "5", "math") == Grade("unparsed", None, "extract")
    assert grade(r"\boxed{5", "5", "math").stage == "extract"
    assert grade(r"\boxed{ }", "5", "math") == Grade("unparsed", "", "parse")


def test_stages_tell_who_decided() -> None:
    assert grade(r"\boxed{6}", "5", "math").stage == "rule"
    assert grade(r"\boxed{x+1}", "1+x", "math").stage == "rule"
    assert grade(r"\boxed{\sin x}", r"\sin(x)", "math").stage == "match"


def test_unknown_verifier_is_an_error() -> None:
    with pytest.raises(InputError, match=r"verifier 'chess'.*Choose one of .*math"):
        grade(r"\boxed{1}", "1", "chess")


@pytest.mark.parametrize(("gold", "problem"), [("", "empty"), (" $ $ ", "."), (r"\frac{1}{2", "unbalanced braces")])
def test_unreadable_gold_is_an_error(gold: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        check_gold(gold, "math")


def test_verdicts_are_those_of_the_tables() -> None:
    assert set(VERDICTS) == set(get_args(Verdict))


TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from([r"\boxed{", "}", "{", r"\frac", "1", "x", "^", "!", "$", ",", r"\text{", "-", " ", "."]),
    max_size=20,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(["5", "Yes", r"\frac{1}{2}"]))
def test_no_text_makes_the_grader_raise(text: str, gold: str) -> None:
    assert grade(text, gold, "math").verdict in VERDICTS
    assert grade(rf"\boxed{{{text}}}", gold, "math").verdict in VERDICTS


def test_damaged_completions_get_a_verdict_in_time() -> None:
    for text, gold in mutated([(text, gold) for text in STAND_INS for gold in GOLDS], 300, seed=0):
        start = time.monotonic()
        assert grade(text, gold, "math").verdict in VERDICTS
        assert time.monotonic() - start < math_answers.TIME_LIMIT_S + 1.5


NUMBERS = st.one_of(
    st.integers(-2000, 2000).map(str),
    st.tuples(st.integers(-99, 99), st.integers(0, 99)).map(lambda pair: f"{pair[0]}.{pair[1]:02d}"),
    st.tuples(st.integers(-9, 9), st.integers(1, 9)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
    st.tuples(st.integers(0, 9), st.integers(1, 9)).map(lambda pair: rf"-\frac{{{pair[0]}}}{{{pair[1]}}}"),
    st.tuples(st.integers(1, 9), st.integers(1, 9)).map(lambda pair: rf"\frac{pair[0]}{pair[1]}"),
    st.integers(1, 10**7).map(lambda number: f"{number:,}"),
)


@settings(max_examples=150, deadline=None)
@given(NUMBERS, NUMBERS)
def test_fast_path_agrees_with_the_full_path_on_numbers(gold: str, answer: str) -> None:
    for other in (answer, gold, f"{gold}.0" if gold.lstrip("-").isdigit() else f" {gold}"):
        fast = match_fast(gold, clean_answer(other))
        if fast is not None:
            assert fast == (match_symbolic(gold, clean_answer(other))[0] == "correct"), (gold, other)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-3", Fraction(-3)), ("1,000", Fraction(1000)), ("1{,}000.5", Fraction(2001, 2)), (".5", Fraction(1, 2)),
        ("1/2", Fraction(1, 2)), (r"-\dfrac{3}{4}", Fraction(-3, 4)), (r"\frac12", Fraction(1, 2)),
        ("- 3", Fraction(-3)),
        ("1/0", None), ("1,00", None), ("1, 000", None), ("1 000", None), ("x", None), ("1e3", None), ("9" * 100, None),
        ("0.1234567890123456", None), ("\u0663", None),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly(text: str, value: Fraction | None) -> None:
    read = as_number(text)
    assert (read and read[0]) == value


def test_votes_join_equal_answers() -> None:
    assert len({vote_key(answer) for answer in ("0.5", "1/2", r"\frac{1}{2}", " $0.50$.")}) == 1
    assert len({vote_key(answer) for answer in ("Yes", r"\text{yes}", "yes.")}) == 1
    assert vote_key("x + 1") == vote_key("x+1") != vote_key("x-1")


HOSTILE = [
    "9^{9^{9^9}}", "10^{10^9}", "9^9^9", "(10^7)!", "10000000!", r"\binom{10000000}{5000000}", "9" * 200_000,
    r"\sum_{k=1}^{10000000} k^k", "3^{100000}", "(" * 300 + "1" + ")" * 300,
]  # fmt: skip


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: answer[:20])
def test_hostile_answers_never_reach_the_parser(answer: str) -> None:
    start = time.monotonic()
    assert grade(rf"\boxed{{{answer}}}", "5", "math").verdict == "unparsed"
    assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    "answer", ["2^{10}", "2^{2^{3}}", "10!", r"\binom{10}{3}", "x^2+y^2+z^2", "e^{x^{2}}", "2^{100}"]
)
def test_honest_answers_are_not_hostile(answer: str) -> None:
    assert not is_hostile(answer)


def test_a_long_gold_allows_a_long_answer() -> None:
    gold = "+".join(f"x_{index}" for index in range(80))
    assert verdict(gold, gold) == "correct"
    assert not is_hostile(gold, gold)
    assert is_hostile(gold)


def spin() -> None:
    """Work that swallows ordinary exceptions, as computer algebra does."""
    while True:
        with suppress(Exception):
            sum(range(100))


def run_in_thread(work) -> object:
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


@pytest.mark.parametrize("run", [lambda work: work(), run_in_thread], ids=["main-thread", "other-thread"])
def test_slow_comparison_is_timed_out_not_wrong(run, monkeypatch) -> None:
    monkeypatch.setattr(math_answers, "TIME_LIMIT_S", 0.1)
    monkeypatch.setattr(math_answers, "same", lambda gold, answer: spin())
    assert run(lambda: match_symbolic("x", "y")) == ("timed_out", "match")


@pytest.mark.parametrize("run", [lambda work: work(), run_in_thread], ids=["main-thread", "other-thread"])
def test_work_in_time_is_not_disturbed_later(run) -> None:
    def work() -> int:
        for _ in range(20):
            with time_limit(0.02):
                total = sum(range(10))
        time.sleep(0.05)
        return total

    assert run(work) == 45


def test_product_of_huge_integers_is_interrupted_in_the_main_thread() -> None:
    base = 10**3_000_000
    start = time.monotonic()
    with pytest.raises(TimedOutError), time_limit(0.2):
        for _ in range(1000):
            base *= base
    assert time.monotonic() - start < 5


def problem(problem_id: str, answer: str, verifier: str = "math") -> dict[str, object]:
    return {
        "problem_id": problem_id, "dataset": "b", "question": "q", "answer": answer, "verifier": verifier,
        "difficulty": 1.0, "topic": None, "meta": "{}",
    }  # fmt: skip


def sampled(problem_id: str, number: int, text: str) -> dict[str, object]:
    return {
        "run_id": "r", "benchmark": "b", "problem_id": problem_id, "sample": number, "text": text,
        "completion_tokens": 3, "finish_reason": "stop",
    }  # fmt: skip


def grade_in(folder: Path) -> None:
    """Grade the samples of a folder, whose base has no manifest."""
    samples, record = folder / "samples.parquet", folder / "samples.json"
    grade_file(samples, record, {"b": folder / "problems.parquet"}, folder, {}, folder / "grades.parquet", Resources())


def test_grade_file_writes_one_grade_a_sample(tmp_path: Path) -> None:
    problems = pd.DataFrame([problem("p", "5"), problem("q", "Yes")])
    samples = pd.DataFrame([sampled("q", 0, r"\boxed{no}"), sampled("p", 0, r"\boxed{5}"), sampled("p", 1, "5")])
    PROBLEMS.validate(problems).to_parquet(tmp_path / "problems.parquet")
    SAMPLES.validate(samples).to_parquet(tmp_path / "samples.parquet")
    write_json(record_of({"b": problems}, tmp_path, {}), tmp_path / "samples.json")
    grade_in(tmp_path)
    grades = pd.read_parquet(tmp_path / "grades.parquet")
    assert grades["verdict"].tolist() == ["wrong", "correct", "unparsed"]
    assert grades["extracted"].tolist()[:2] == ["no", "5"]
    assert grades["extracted"].isna().tolist() == [False, False, True]
    assert set(grades["grader"]) == {grader.GRADER_VERSION}
    assert "text" not in grades


def test_golds_belong_to_their_benchmark() -> None:
    """Two data sets may be drawn from one source, so that they share problem ids."""
    problems = pd.DataFrame([problem("p", "5"), {**problem("p", "6"), "dataset": "c"}])
    samples = pd.DataFrame([sampled("p", 0, r"\boxed{6}"), {**sampled("p", 0, r"\boxed{6}"), "benchmark": "c"}])
    assert grade_samples(samples, problems, Resources())["verdict"].tolist() == ["wrong", "correct"]


def test_sample_without_a_problem_is_an_error() -> None:
    with pytest.raises(InputError, match="problem 'x'"):
        grade_samples(pd.DataFrame([sampled("x", 0, "")]), pd.DataFrame([problem("p", "5")]), Resources())


def test_unreadable_gold_of_a_file_names_file_and_problem(tmp_path: Path) -> None:
    problems = pd.DataFrame([problem("p", "5"), problem("q", r"\frac{1}{")])
    PROBLEMS.validate(problems).to_parquet(tmp_path / "problems.parquet")
    SAMPLES.validate(pd.DataFrame([sampled("p", 0, "")])).to_parquet(tmp_path / "samples.parquet")
    write_json(record_of({"b": problems}, tmp_path, {}), tmp_path / "samples.json")
    with pytest.raises(InputError, match=r"problems\.parquet, problem 'q': gold answer.*unbalanced.*snakemake data"):
        grade_in(tmp_path)


def test_golds_are_graded_against_themselves(tmp_path: Path) -> None:
    problems = pd.DataFrame([problem("p", "5"), problem("q", r"\frac{1}{")])
    PROBLEMS.validate(problems).to_parquet(tmp_path / "problems.parquet")
    grade_golds_file([tmp_path / "problems.parquet"], tmp_path / "golds.parquet")
    golds = pd.read_parquet(tmp_path / "golds.parquet")
    assert golds["verdict"].tolist() == ["correct", "unparsed"]
    summary = pd.read_json(tmp_path / "golds.json", typ="series")
    assert summary["datasets"] == {"b": {"problems": 2, "correct": 1}}
    assert [failed["problem_id"] for failed in summary["failed"]] == ["q"]


def test_gold_of_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(InputError, match="verifier 'chess'"):
        grade_golds(pd.DataFrame([problem("p", "5", verifier="chess")]))


def imported_from(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return {f"{node.module}.{alias.name}" for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}


def reached_from(part: str) -> set[str]:
    """Modules of ``rlvr.rewards`` and ``rlvr.prompts`` that a part of the library reaches by imports."""
    waiting = list((LIBRARY / part).rglob("*.py"))
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for name in imported_from(path):
            for dotted in (name, name.rpartition(".")[0]):
                file = LIBRARY.parent.joinpath(*dotted.split(".")).with_suffix(".py")
                if file.is_file() and file not in seen:
                    waiting.append(file)
    return {str(path.relative_to(LIBRARY)) for path in seen}


def test_training_and_evaluation_share_grader_and_prompts() -> None:
    shared = {"grading/grader.py", "grading/mathematics/math_answers.py", "prompts.py"}
    assert shared <= reached_from("train")
    assert shared <= reached_from("evaluate")
    foreign = {"math_verify", "latex2sympy2_extended"}
    for path in LIBRARY.rglob("*.py"):
        tree = ast.walk(ast.parse(path.read_text()))
        names = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
        modules = names | {name.partition(".")[0] for name in imported_from(path)}
        assert not modules & foreign, path
