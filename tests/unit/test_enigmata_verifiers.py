"""Enigmata's verifiers: right answers pass in both modes, damage fails, no text raises or takes long."""

import json
import re
import time

import pytest
from enigmata_puzzles import SAMPLES, Sample
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.data.readers.enigmata import EVAL_ONLY_TASKS, SHARED_TASKS
from rlvr.grading.enigmata import extract
from rlvr.grading.enigmata.parity import MODES
from rlvr.grading.enigmata.tasks import TASKS
from rlvr.grading.enigmata.verify import judge, show_answer
from rlvr.grading.grader import check_gold, find_verifier, grade

VERDICTS = {"correct", "wrong", "unparsed"}
EVERY_TASK = pytest.mark.parametrize("task", sorted(TASKS))


def completion(task: str) -> str:
    sample = SAMPLES[task]
    if sample.right is None:
        return show_answer(sample.answer, sample.meta, task)
    return f"```\n{sample.right}\n```"


def verdict(body: str, task: str, mode: str = "rules", sample: Sample | None = None) -> str:
    sample = sample or SAMPLES[task]
    text = body if "<begin_board>" in body else f"```\n{body}\n```"
    return judge(text, sample.answer, sample.meta, task, mode).verdict


def test_every_task_that_has_a_verifier_has_ours() -> None:
    assert set(TASKS) == {*SHARED_TASKS, *EVAL_ONLY_TASKS, "arc_agi"} == set(SAMPLES)
    assert len(TASKS) == 37


@pytest.mark.parametrize("name", ["enigmata/pattern_recognition", "enigmata/", "enigmata/chess960"])
def test_an_unknown_task_is_an_error(name: str) -> None:
    with pytest.raises(InputError, match="nothing grades"):
        find_verifier(name)


@EVERY_TASK
def test_a_right_answer_passes_in_both_modes_and_through_the_grader(task: str) -> None:
    sample, text = SAMPLES[task], "<think>\n" + completion(task) + "\n</think>\nFinal:\n" + completion(task) + "\nDone."
    for mode in MODES:
        assert judge(text, sample.answer, sample.meta, task, mode).verdict == "correct", mode
    assert grade(text, sample.answer, f"enigmata/{task}", sample.meta).verdict == "correct"


@EVERY_TASK
def test_lists_that_are_text_inside_the_record_give_the_same_verdict(task: str) -> None:
    sample = SAMPLES[task]
    for mode in MODES:
        assert judge(completion(task), sample.answer, sample.nested_meta, task, mode).verdict == "correct"


@EVERY_TASK
def test_no_answer_is_no_answer(task: str) -> None:
    sample = SAMPLES[task]
    for text in ("", "I do not know.", "```", "<begin_board>"):
        found = judge(text, sample.answer, sample.meta, task)
        assert (found.verdict, found.extracted, found.stage) == ("unparsed", None, "extract")


@EVERY_TASK
def test_a_record_that_cannot_be_graded_is_refused(task: str) -> None:
    sample = SAMPLES[task]
    for meta in ("[1]", "no JSON", "", "[" * 100_000):
        with pytest.raises(InputError, match="cannot be graded"):
            check_gold(sample.answer, f"enigmata/{task}", meta)
    for key in sample.record if task != "checkmate_in_one" else ():  # its official check needs the stored move alone
        without = {name: value for name, value in sample.record.items() if name != key}
        with pytest.raises(InputError, match="cannot be graded"):
            check_gold(sample.answer, f"enigmata/{task}", json.dumps(without))


BROKEN_ANSWERS = {
    "magic_square": "[[2, 7], [9, 5]]", "slant": "[[1]]", "arc_agi": "red", "symbolic_hard": "[[1, 2], [3]]",
    "star_battle": ". *", "hitori": "[[0, 0, 0]]", "kakurasu": "none", "light_up": "[1, 2]", "minesweeper": "x",
    "big_bench_symbolic": "[1, true]", "crypto_KKA": " ", "full_crosswords": '{"across": []}', "zebra_logic": "",
}  # fmt: skip


@pytest.mark.parametrize("task", BROKEN_ANSWERS)
def test_a_stored_answer_that_cannot_be_read_is_refused(task: str) -> None:
    with pytest.raises(InputError, match=f"of task {task}: cannot be graded"):
        check_gold(BROKEN_ANSWERS[task], f"enigmata/{task}", SAMPLES[task].meta)


@EVERY_TASK
@pytest.mark.parametrize("answer", ["", "nonsense", "[]", "{}", "[[null]]", "7"])
def test_a_stored_answer_that_is_not_needed_may_be_anything(task: str, answer: str) -> None:
    """Either the record is refused or there is something to show; nothing else is raised."""
    meta = SAMPLES[task].meta
    try:
        check_gold(answer, f"enigmata/{task}", meta)
    except InputError:
        return
    text = show_answer(answer, meta, task)
    assert {judge(text, answer, meta, task, mode).verdict for mode in MODES} <= VERDICTS


PIECES = st.sampled_from(
    ["```", "\n", "\r\n", "<begin_board>", "<end_board>", "|", "[", "]", "(", ")", ",", "->", "1", "0", "-1", " ", "X",
     "*", "/", "+", ".", "R11", '"', "'", "NO", "Push(1)", "Pop()", "\u00b2", "\u0661", "9" * 400, "e4", "nan", "True",
     "across:", "\ud800", "\x00", "A", "{", "}", ":", "_", "not exist", "cannot form 24"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=40).map("".join))


@EVERY_TASK
@settings(max_examples=60, deadline=None)
@given(body=TEXTS, fenced=st.booleans())
@example(body="(" * 5_000 + "1" + ")" * 5_000, fenced=True)
@example(body="[" * 5_000, fenced=True)
@example(body="-" * 5_000 + "1", fenced=True)
@example(body="[1]" * 3_000, fenced=True)
@example(body='"a" ' * 3_000, fenced=True)
def test_arbitrary_text_never_raises(task: str, body: str, fenced: bool) -> None:
    text = f"```\n{body}\n```\n<begin_board>{body}<end_board>\n|{body}|" if fenced else body
    sample = SAMPLES[task]
    for mode in MODES:
        assert judge(text, sample.answer, sample.meta, task, mode).verdict in VERDICTS


@EVERY_TASK
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_mutated_right_answers_never_raise(task: str, data: st.DataObject) -> None:
    text = completion(task)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(text)))
        text = text[:place] + data.draw(PIECES) + text[place + data.draw(st.integers(0, 3)) :]
    sample = SAMPLES[task]
    for mode in MODES:
        assert judge(text, sample.answer, sample.meta, task, mode).verdict in VERDICTS


HOSTILE = {
    "fences": "```" * 100_000, "fenced lines": "```\n" * 100_000, "open brackets": "```\n" + "[" * 500_000 + "\n```",
    "boards": "<begin_board>" * 50_000, "bars": "|a" * 200_000 + "\n" * 200_000, "blank rows": "|a|\n\n" * 100_000,
    "digits": "```\n" + "7" * 600_000 + "\n```", "numbers": "```\n" + "[1, " + "1, " * 200_000 + "\n```",
    "spaces in a list": "```\n[1" + " " * 600_000 + "\n```", "pairs": "```\n" + "(1,1)->" * 100_000 + "\n```",
    "moves": "```\n" + "LRUD" * 150_000 + "\n```", "sums": "```\n" + "1+" * 300_000 + "\n```",
    "open pairs": "```\n" + "(1" * 300_000 + "\n```", "lines": "```\n" + "1\n" * 300_000 + "```",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_long_hostile_texts_cost_linear_time(name: str) -> None:
    start = time.process_time()
    for task, sample in SAMPLES.items():
        judge(HOSTILE[name], sample.answer, sample.meta, task)
    assert time.process_time() - start < 10  # 37 tasks; a quadratic reader takes minutes for one


def test_code_is_never_run() -> None:
    for body in ("__import__('os')._exit(1)", "[(0, 0) for _ in iter(int, 1)]", "9**9**9**9", "list([1, 2])"):
        for task in TASKS:
            assert verdict(body, task, "official") in {"wrong", "unparsed"}


def matches_of(text: str) -> str | None:
    """The released way to find a block, in its own words a pattern: slow but plain."""
    found = re.findall(r"```[^\n]*\n(.*?)```", text, re.DOTALL) or re.findall(r"```(.*?)```", text, re.DOTALL)
    return found[-1].strip() if found else None


@settings(max_examples=500)
@given(st.lists(st.sampled_from(["```", "`", "\n", "a", " "]), max_size=25).map("".join))
def test_the_scanner_finds_what_the_pattern_finds(text: str) -> None:
    assert extract.last_block(text) == matches_of(text)
