"""Verdicts on Enigmata's answers: extract, parse, check; total for every text, strict about records."""

from functools import lru_cache
from typing import Any, Literal

from rlvr.core.errors import InputError
from rlvr.grading.enigmata.puzzle import read_puzzle
from rlvr.grading.enigmata.tasks import TASKS, Task
from rlvr.grading.verdicts import Grade

Mode = Literal["official", "rules"]
UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RecursionError,
)  # of a record, not of an answer
MAX_ANSWER = 50_000  # ASSUME: a longer one is not an answer; the longest that a puzzle asks for has some hundred moves
MAX_STORED = 2_000  # characters of an answer that are stored with its grade


def find_task(name: str) -> Task:
    """The task of that name.

    Raises:
        InputError: If it has no verifier; lists those that have.
    """
    if name not in TASKS:
        raise InputError(f"task {name!r}", "nothing grades this task.", f"Tasks: {', '.join(sorted(TASKS))}.")
    return TASKS[name]


def judge(text: str, gold: str, meta: str, task: str, mode: Mode = "official") -> Grade:
    """Judge one completion; see ``judge_answer``."""
    return judge_answer(find_task(task).extract(text), gold, meta, task, mode)


def judge_answer(answer: str | None, gold: str, meta: str, task: str, mode: Mode = "official") -> Grade:
    """Judge the part of a completion that holds its answer.

    Args:
        answer: What the task's scanner found, any text, or ``None`` where it found nothing.
        gold: The stored answer.
        meta: The record, JSON.
        task: Name of the task.
        mode: ``official``: the scored metric; ``rules``: what the prompt's rules say.

    Raises:
        InputError: If the record cannot be graded against. Never because of ``answer``.
    """
    declared, loaded = find_task(task), load(gold, meta, task)
    if answer is None:
        return Grade("unparsed", None, "extract")
    right = getattr(declared, mode)(answer, loaded) if len(answer) <= MAX_ANSWER else None
    if right is None:
        return Grade("unparsed", answer[:MAX_STORED], "parse")
    return Grade("correct" if right else "wrong", answer[:MAX_STORED], "match" if declared.compares else "rule")


@lru_cache(maxsize=4096)  # the completions of one problem are graded one after the other
def load(gold: str, meta: str, task: str) -> Any:
    """Take from a stored answer and its record what the checks of its task need.

    Raises:
        InputError: If it cannot be graded against; says why.
    """
    declared = find_task(task)
    try:
        return declared.load(read_puzzle(gold, meta))
    except UNREADABLE as error:
        remedy = "Leave the row out, or see docs/enigmata.md for what a record must hold."
        raise InputError(f"answer {gold[:60]!r} of task {task}", f"cannot be graded: {error}.", remedy) from error


def check_record(gold: str, meta: str, task: str) -> None:
    """Refuse a stored answer and record that cannot be graded against.

    Raises:
        InputError: As ``load``.
    """
    load(gold, meta, task)


def show_answer(gold: str, meta: str, task: str) -> str:
    """A completion that gives the stored answer in the asked format; where none is stored, an empty block.

    Raises:
        InputError: As ``load``.
    """
    load(gold, meta, task)
    try:
        answer = find_task(task).replay(read_puzzle(gold, meta)) or ""
    except UNREADABLE:  # a task that checks rules does not need the stored answer
        answer = ""
    return answer if answer.startswith("<begin_board>") else f"```\n{answer}\n```"
