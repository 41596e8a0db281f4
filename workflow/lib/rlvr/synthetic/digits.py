"""Digit problems in the released column schemas of the real sources: small enough to learn on a laptop.

Five tasks over a string of digits; every problem has one integer answer and a trace of one digit per digit read. All
digits are 1 to 9, so no answer (a reversal, say) starts with a zero.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError

LENGTHS = (2, 3, 4, 5, 6)  # digits of a problem, in training and in every in-distribution evaluation
AIME_LENGTHS = (7, 8)  # longer than anything trained on: the out-of-distribution set

DUPLICATE_SHARE = 0.01  # rows that repeat an earlier question in other letters and spaces, as real sources do
SENTINEL_SHARE = 0.005  # rows whose difficulty is one of the released sentinels
JUDGES = tuple(f"DeepSeek-R1-Distill-Qwen-{size}" for size in ("1.5B", "32B", "7B"))  # SOURCE: Skywork-OR1's columns
JUDGE_SAMPLES = 16
SENTINELS = (-1.0, 0.0)


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


def _deepmath_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    repeats = int(rows * DUPLICATE_SHARE)
    frame = pd.DataFrame([_deepmath_row(rng) for _ in range(rows - repeats)])
    unrated = rng.random(len(frame)) < SENTINEL_SHARE
    frame.loc[unrated, "difficulty"] = rng.choice(SENTINELS, size=unrated.sum())
    copies = frame.iloc[rng.choice(len(frame), size=repeats, replace=False)].copy()
    copies["question"] = [" " + question.upper().replace(" ", "  ") for question in copies["question"]]
    return pd.concat([frame, copies], ignore_index=True)


def _deepmath_row(rng: np.random.Generator) -> dict[str, object]:
    problem = draw_problem(rng)
    solution = solve_problem(problem)
    openings = ("Read the digits from left to right", "One digit at a time", "Scanning the number once")
    return {
        "question": problem.question("plain"),
        "final_answer": solution.answer,
        "difficulty": rate_difficulty(problem, rng),
        "topic": TASKS[problem.task].topic,
    } | {
        f"r1_solution_{number}": f"{opening}: {solution.trace}.\n\n**Final Answer**\n\\boxed{{{solution.answer}}}"
        for number, opening in enumerate(openings, start=1)
    }


def _math_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame([_math_row(draw_problem(rng)) for _ in range(rows)])


def _math_row(problem: Problem) -> dict[str, str]:
    solution = solve_problem(problem)
    return {
        "problem": problem.question("formal"),
        "level": f"Level {LENGTHS.index(len(problem.digits)) + 1}",
        "type": TASKS[problem.task].subject,
        "solution": f"Digit by digit we get ${solution.trace}$, so the answer is $\\boxed{{{solution.answer}}}$.",
    }


def _skywork_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame([_skywork_row(index, rng) for index in range(rows)])


def _skywork_row(index: int, rng: np.random.Generator) -> dict[str, object]:
    problem = draw_problem(rng)
    chance = (rate_difficulty(problem, rng) - 3.0) / 6.5  # of a failure: the hardest problems always fail
    failures = {name: int(rng.binomial(JUDGE_SAMPLES, chance)) for name in JUDGES}
    return {
        "data_source": "train-math-deepscaler",
        "prompt": [{"content": problem.question("plain"), "role": "user"}],
        "ability": "math",
        "reward_model": {"ground_truth": json.dumps([solve_problem(problem).answer]), "style": "rule"},
        "extra_info": {"index": index, "model_difficulty": failures},
    }


def _aime_rows(rows: int, rng: np.random.Generator, first: int) -> pd.DataFrame:
    problems = [draw_problem(rng, AIME_LENGTHS) for _ in range(rows)]
    return pd.DataFrame(
        {
            "problem_idx": np.arange(first, first + rows, dtype=np.int64),
            "answer": np.array([int(solve_problem(problem).answer) for problem in problems], dtype=np.int64),
            "problem": [problem.question("plain") for problem in problems],
        }
    )


DIGIT_ROWS: dict[str, Callable[[int, np.random.Generator], pd.DataFrame]] = {
    "deepmath-103k": _deepmath_rows,
    "skywork-or1": _skywork_rows,
    "math": _math_rows,
    "aime-2025": partial(_aime_rows, first=1),
    "aime-2026": partial(_aime_rows, first=1),
}
