"""Digit problems in the released columns of the competitions and collections that the papers train and test on.

How hard a set is beside the others follows from the length of its numbers: training sets and the easy benchmarks have
those of the pre-training corpus, contests longer ones that no base has seen.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from rlvr.synthetic.digits import AIME_LENGTHS, LENGTHS, TASKS, Problem, draw_problem, solve_problem

TRAINING_LENGTHS = (4, 5, 6)
EASY_LENGTHS = (2, 3, 4)  # of grade-school problems
CONTEST_LENGTHS = (5, 6, 7)  # of AMC, easier than AIME
PAGE = "https://example.org/{year}_AIME_I_Problems/Problem_{number}"  # the form of the pages that the releases name
# Readers keep the problem alone: the instruction before it is one that they know, in the form of the DAPO release.
DAPO_BEFORE = "Solve the following math problem step by step. Say the answer last.\n\n"

Rows = Callable[[int, np.random.Generator], pd.DataFrame]
Write = Callable[[int, Problem], dict[str, Any]]


def _rows(rows: int, rng: np.random.Generator, write: Write, lengths: tuple[int, ...]) -> pd.DataFrame:
    """So many problems with numbers of these lengths, each written as a row; numbers of rows count from 1."""
    return pd.DataFrame([write(number, draw_problem(rng, lengths)) for number in range(1, rows + 1)])


def _answer(problem: Problem) -> str:
    return solve_problem(problem).answer


def _dapo_row(number: int, problem: Problem) -> dict[str, Any]:
    return {
        "data_source": "math_dapo",
        "prompt": [{"content": DAPO_BEFORE + problem.question("plain"), "role": "user"}],
        "ability": "MATH",
        "reward_model": {"ground_truth": _answer(problem), "style": "rule-lighteval/MATH_v2"},
        "extra_info": {"index": f"synthetic-{number}"},
    }


def _deepscaler_row(number: int, problem: Problem) -> dict[str, Any]:
    solution = f"Reading digit by digit gives {solve_problem(problem).trace}."
    return {"problem": problem.question("plain"), "answer": _answer(problem), "solution": solution}


def _simplerl_row(number: int, problem: Problem) -> dict[str, Any]:
    level = float(3 + number % 3)  # levels 3 to 5
    subject = TASKS[problem.task].subject
    return {"question": problem.question("formal"), "gt_answer": _answer(problem), "level": level, "subject": subject}


def _math500_row(number: int, problem: Problem) -> dict[str, Any]:
    return {
        "problem": problem.question("formal"),
        "solution": f"Digit by digit we get ${solve_problem(problem).trace}$.",
        "answer": _answer(problem),
        "subject": TASKS[problem.task].subject,
        "level": LENGTHS.index(len(problem.digits)) + 1,
        "unique_id": f"test/{TASKS[problem.task].subject.lower().replace(' ', '_')}/{number}.json",
    }


def _aimo_row(number: int, problem: Problem, years: tuple[int, ...]) -> dict[str, Any]:
    year = years[number % len(years)]
    question, answer = problem.question("plain"), _answer(problem)
    return {"id": number, "problem": question, "answer": answer, "url": PAGE.format(year=year, number=number)}


def _amc_row(number: int, problem: Problem) -> dict[str, Any]:
    url = f"https://example.org/2023_AMC_12A_Problems/Problem_{number}"
    return {"id": number, "answer": float(_answer(problem)), "url": url, "question": problem.question("plain")}


def _hmmt_row(number: int, problem: Problem) -> dict[str, Any]:
    return {"problem_idx": number, "answer": _answer(problem), "problem": problem.question("formal")}


def _question_row(number: int, problem: Problem) -> dict[str, Any]:
    return {"question": problem.question("formal"), "answer": _answer(problem)}


def _gsm8k_row(number: int, problem: Problem) -> dict[str, Any]:
    solution = solve_problem(problem)
    return {"question": problem.question("plain"), "answer": f"{solution.trace}\n#### {solution.answer}"}


CONTEST_ROWS: Mapping[str, Rows] = {
    "dapo-math-17k": partial(_rows, write=_dapo_row, lengths=TRAINING_LENGTHS),
    "deepscaler": partial(_rows, write=_deepscaler_row, lengths=TRAINING_LENGTHS),
    "simplerl-level3to5": partial(_rows, write=_simplerl_row, lengths=TRAINING_LENGTHS),
    "math-500": partial(_rows, write=_math500_row, lengths=LENGTHS),
    # One file holds three years; each reader keeps its own.
    "aime-2022": partial(_rows, write=partial(_aimo_row, years=(2022, 2023, 2024)), lengths=AIME_LENGTHS),
    "aime-2023": partial(_rows, write=partial(_aimo_row, years=(2022, 2023, 2024)), lengths=AIME_LENGTHS),
    "aime-2024": partial(_rows, write=partial(_aimo_row, years=(2024,)), lengths=AIME_LENGTHS),
    "amc-2023": partial(_rows, write=_amc_row, lengths=CONTEST_LENGTHS),
    "hmmt-feb-2025": partial(_rows, write=_hmmt_row, lengths=AIME_LENGTHS),
    "minerva": partial(_rows, write=_question_row, lengths=CONTEST_LENGTHS),
    "gsm8k": partial(_rows, write=_gsm8k_row, lengths=EASY_LENGTHS),
    "gsm8k-train": partial(_rows, write=_gsm8k_row, lengths=EASY_LENGTHS),
}
