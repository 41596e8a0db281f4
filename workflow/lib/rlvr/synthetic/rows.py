"""Synthetic rows in the released columns of the real sources, so that one reader serves both."""

import json
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError
from rlvr.synthetic.digits import AIME_LENGTHS, LENGTHS, TASKS, Problem, draw_problem, rate_difficulty, solve_problem
from rlvr.synthetic.puzzle_rows import puzzle_rows

DUPLICATE_SHARE = 0.01  # rows that repeat an earlier question in other letters and spaces, as real sources do
SENTINEL_SHARE = 0.005  # rows whose difficulty is one of the released sentinels
JUDGES = tuple(f"DeepSeek-R1-Distill-Qwen-{size}" for size in ("1.5B", "32B", "7B"))  # SOURCE: Skywork-OR1's columns
JUDGE_SAMPLES = 16
SENTINELS = (-1.0, 0.0)
SHORT_LENGTHS = (2, 3, 4)  # digits of a problem in the stand-in of GSM8K, the easiest of the benchmarks


def synthetic_rows(source: str, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of a synthetic stand-in in the released columns and types of ``source``.

    Args:
        source: Name as in the scale file, one of ``WRITERS``.
        rows: Number of rows.
        rng: The only source of randomness.

    Raises:
        InputError: If no stand-in of that name exists; the message lists those that do.
    """
    if source not in WRITERS:
        raise InputError(f"source '{source}'", "no synthetic stand-in.", f"Choose one of {', '.join(WRITERS)}.")
    return WRITERS[source](rows, rng)


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


def _dapo_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of DAPO-Math-17k: its release repeats every problem, here twice, under one index."""
    problems = [draw_problem(rng) for _ in range(-(-rows // 2))]
    entries = [
        {
            "data_source": "math_dapo",
            "prompt": [{"content": problem.question("plain"), "role": "user"}],
            "ability": "MATH",
            "reward_model": {"ground_truth": solve_problem(problem).answer, "style": "rule-lighteval/MATH_v2"},
            "extra_info": {"index": f"synthetic-{number}"},
        }
        for number, problem in enumerate(problems)
    ]
    return pd.DataFrame([*entries, *entries][:rows])


def _answered_rows(
    rows: int,
    rng: np.random.Generator,
    names: tuple[str, str] = ("problem", "answer"),
    lengths: tuple[int, ...] = LENGTHS,
    style: str = "plain",
    whole: bool = False,
    identity: str = "",
) -> pd.DataFrame:
    """Questions and answers under the column names of a release, with its identity where it has one."""
    problems = [draw_problem(rng, lengths) for _ in range(rows)]
    answers = [solve_problem(problem).answer for problem in problems]
    questions = [problem.question(style) for problem in problems]
    frame = pd.DataFrame({names[0]: questions, names[1]: list(map(int, answers)) if whole else answers})
    return frame.assign(**{identity: np.arange(1, rows + 1)}) if identity else frame


def _simplerl_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    problems = [draw_problem(rng, LENGTHS[2:]) for _ in range(rows)]
    return pd.DataFrame(
        {
            "question": [problem.question("plain") for problem in problems],
            "gt_answer": [solve_problem(problem).answer for problem in problems],
            "level": [LENGTHS.index(len(problem.digits)) + 1 for problem in problems],
            "subject": [TASKS[problem.task].subject for problem in problems],
        }
    )


def _math_500_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    problems = [draw_problem(rng) for _ in range(rows)]
    return pd.DataFrame(
        {
            "problem": [problem.question("formal") for problem in problems],
            "answer": [solve_problem(problem).answer for problem in problems],
            "level": [LENGTHS.index(len(problem.digits)) + 1 for problem in problems],
            "subject": [TASKS[problem.task].subject for problem in problems],
            "unique_id": [f"test/{number}.json" for number in range(rows)],
        }
    )


def _contest_rows(rows: int, rng: np.random.Generator, year: int) -> pd.DataFrame:
    """Rows of an AIME of one year, each with the page that it would come from."""
    frame = _answered_rows(rows, rng, lengths=AIME_LENGTHS, identity="id")
    return frame.assign(url=[f"https://example.org/{year}_AIME_I/Problem_{number}" for number in frame["id"]])


def _amc_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    frame = _answered_rows(rows, rng, names=("question", "answer"), whole=True, identity="id")
    return frame.assign(url="https://example.org/AMC_2023")


def _gsm8k_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    problems = [draw_problem(rng, SHORT_LENGTHS) for _ in range(rows)]
    solutions = [solve_problem(problem) for problem in problems]
    return pd.DataFrame(
        {
            "question": [problem.question("plain") for problem in problems],
            "answer": [f"Digit by digit: {solution.trace}.\n#### {solution.answer}" for solution in solutions],
        }
    )


WRITERS: dict[str, Callable[[int, np.random.Generator], pd.DataFrame]] = {
    "deepmath-103k": _deepmath_rows,
    "skywork-or1": _skywork_rows,
    "math": _math_rows,
    "aime-2025": partial(_aime_rows, first=1),
    "aime-2026": partial(_aime_rows, first=1),
    "dapo-math-17k": _dapo_rows,
    "deepscaler": _answered_rows,
    "simplerl-level3to5": _simplerl_rows,
    "math-500": _math_500_rows,
    "aime-2022": partial(_contest_rows, year=2022),
    "aime-2023": partial(_contest_rows, year=2023),
    "aime-2024": partial(_contest_rows, year=2024),
    "amc-2023": _amc_rows,
    "hmmt-feb-2025": partial(_answered_rows, lengths=AIME_LENGTHS, identity="problem_idx"),
    "minerva": partial(_answered_rows, names=("question", "answer"), lengths=LENGTHS[2:]),
    "gsm8k": _gsm8k_rows,
    "enigmata-data": partial(puzzle_rows, held_out=False),
    "enigmata-eval": partial(puzzle_rows, held_out=True),
}
