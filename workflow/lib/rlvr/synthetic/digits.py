"""Digit problems with their solutions: small enough to learn on a laptop.

Five tasks over a string of digits; every problem has one integer answer and a trace of one digit per digit read. All
digits are 1 to 9, so no answer (a reversal, say) starts with a zero.
"""

import re
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from rlvr.core.errors import InputError

LENGTHS = (2, 3, 4, 5, 6)  # digits of a problem, in training and in every in-distribution evaluation
AIME_LENGTHS = (7, 8)  # longer than anything trained on: the out-of-distribution set


@dataclass(frozen=True)
class DigitTask:
    """One kind of question: its words in both styles, where it belongs, and how hard it is.

    Attributes:
        plain: Question in the style of the DeepMath and AIME stand-ins; ``{n}`` digits, ``{d}`` the counted digit.
        formal: Question in the style of the MATH stand-in.
        topic: Topic path as DeepMath-103K writes it.
        subject: ``type`` as MATH writes it.
        hardness: What the task adds to the difficulty of its length.
    """

    plain: str
    formal: str
    topic: str
    subject: str
    hardness: float


TASKS = {
    "last": DigitTask(
        "Last digit of {n}?",
        "Find the last digit of ${n}$.",
        "Mathematics -> Number Theory -> Congruences",
        "Prealgebra",
        0.0,
    ),
    "largest": DigitTask(
        "Largest digit of {n}?",
        "Find the largest digit of ${n}$.",
        "Mathematics -> Algebra -> Order Relations",
        "Algebra",
        1.0,
    ),
    "smallest": DigitTask(
        "Smallest digit of {n}?",
        "Find the smallest digit of ${n}$.",
        "Mathematics -> Algebra -> Order Relations",
        "Algebra",
        1.0,
    ),
    "count": DigitTask(
        "How often is {d} in {n}?",
        "Count the digit ${d}$ in ${n}$.",
        "Mathematics -> Discrete Mathematics -> Combinatorics",
        "Counting & Probability",
        1.5,
    ),
    "reversal": DigitTask(
        "Reverse {n}.",
        "Write ${n}$ in reverse.",
        "Mathematics -> Number Theory -> Digit Representations",
        "Number Theory",
        2.0,
    ),
}


@dataclass(frozen=True)
class Problem:
    """A task, the digits it is about, and the digit to count (drawn for every task, used by ``count``)."""

    task: str
    digits: str
    counted: str

    def question(self, style: str) -> str:
        """The question in ``style``: ``plain`` or ``formal``."""
        return getattr(TASKS[self.task], style).format(n=self.digits, d=self.counted)


@dataclass(frozen=True)
class Solution:
    """The running trace (what is known after each digit read) and the final answer, both strings of digits."""

    trace: str
    answer: str


def draw_problem(rng: np.random.Generator, lengths: tuple[int, ...] = LENGTHS) -> Problem:
    """A problem with task and length drawn uniformly; half of the counted digits are taken from the string."""
    task = str(rng.choice(list(TASKS)))
    digits = "".join(map(str, rng.integers(1, 10, size=rng.choice(lengths))))
    counted = str(rng.choice(list(digits))) if rng.random() < 0.5 else str(rng.integers(1, 10))
    return Problem(task, digits, counted)


def solve_problem(problem: Problem) -> Solution:
    """Trace and answer of a problem; the trace has one digit per digit read."""
    digits = problem.digits
    if problem.task == "last":
        return Solution(digits, digits[-1])
    if problem.task == "reversal":
        return Solution(digits[::-1], digits[::-1])
    if problem.task == "count":
        counts = accumulate(int(digit == problem.counted) for digit in digits)
        trace = "".join(map(str, counts))
    else:
        trace = "".join(accumulate(digits, max if problem.task == "largest" else min))
    return Solution(trace, trace[-1])


def solve(question: str) -> Solution:
    """Trace and answer of a question in either style.

    Raises:
        InputError: If the question is not one of the synthetic ones.
    """
    for name, task in TASKS.items():
        for words in (task.plain, task.formal):
            found = _pattern(words).fullmatch(question)
            if found:
                parts = found.groupdict()
                return solve_problem(Problem(name, parts["n"], parts.get("d", "")))
    raise InputError(f"question {question!r}", "not a synthetic problem.", "Only rows of this module can be solved.")


def _pattern(words: str) -> re.Pattern[str]:
    escaped = re.escape(words).replace(r"\{n\}", r"(?P<n>[1-9]+)").replace(r"\{d\}", r"(?P<d>[1-9])")
    return re.compile(escaped)


def rate_difficulty(problem: Problem, rng: np.random.Generator) -> float:
    """Difficulty from 3.0 to 9.5 in steps of 0.5: grows with length and task, blurred as human ratings are."""
    blur = rng.choice([-0.5, 0.0, 0.5])
    raw = 1.0 + 1.2 * len(problem.digits) + TASKS[problem.task].hardness + blur
    return float(np.clip(np.round(2 * raw) / 2, 3.0, 9.5))
