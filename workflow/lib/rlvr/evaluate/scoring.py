"""Score a run on the benchmarks of a suite: average, best and majority of k, with intervals over problems."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table, write_table
from rlvr.grading.mathematics.answers import vote_key
from rlvr.stats.estimators import avg_at_k, maj_at_k, pass_at_k
from rlvr.stats.intervals import problem_mean
from rlvr.tables import ANSWERS, GRADES, SCORES

SAME_EVERYWHERE = ["run_id", "benchmark"]
RIGHT = ("right",)  # the vote of every right completion; no answer is a tuple
LIST_SPACE = re.compile(r"(?<=,)\s+")


def summarise(answers: pd.DataFrame, grades: pd.DataFrame) -> pd.DataFrame:
    """Avg@k, Pass@k and maj@k of one run on one benchmark, over all problems.

    Args:
        answers: ``tables.ANSWERS``: what ``score_problems`` makes of the grades.
        grades: ``tables.GRADES`` of one run and benchmark.

    Returns:
        ``tables.SCORES`` without ``lost_share``, one row for each statistic, with a 95 % interval and the shares of the
        other verdicts.
    """
    k = int(answers["samples"].max())
    rows = [
        {
            "statistic": statistic,
            "value": float(part["value"].mean()),
            **problem_mean(part["value"].to_numpy(), int(part["samples"].iloc[0]))._asdict(),
        }
        for statistic, part in answers.groupby("statistic", sort=False)
    ]
    run_id, benchmark = _identity(grades)
    return pd.DataFrame(rows).assign(
        run_id=run_id, benchmark=benchmark, k=k, n_problems=answers["problem_id"].nunique(), **_shares(grades)
    )


def score_problems(grades: pd.DataFrame) -> pd.DataFrame:
    """Avg@k, Pass@k and maj@k of every problem, of one run on one benchmark.

    Args:
        grades: ``tables.GRADES`` of one run and benchmark.

    Returns:
        ``tables.ANSWERS``; problems in the order of their ids.

    Raises:
        InputError: If the grades are of several runs or the problems have different numbers of samples.
    """
    run_id, benchmark = _identity(grades)
    ordered = grades.sort_values(["problem_id", "sample"])
    k = _samples_per_problem(ordered)
    correct_PK = (ordered["verdict"] == "correct").to_numpy().reshape(-1, k)
    values = {
        "avg_at_k": (avg_at_k(correct_PK), k),
        "pass_at_k": (pass_at_k(np.full(len(correct_PK), k), correct_PK.sum(axis=1), k), 1),
        "maj_at_k": (maj_at_k(votes(ordered).reshape(-1, k), correct_PK), 1),
    }
    problems = ordered["problem_id"].to_numpy()[::k]
    parts = [
        pd.DataFrame({"statistic": statistic, "problem_id": problems, "value": values_P, "samples": samples})
        for statistic, (values_P, samples) in values.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(run_id=run_id, benchmark=benchmark)


def votes(grades: pd.DataFrame) -> np.ndarray:
    """Give each completion its vote, or ``None`` where there is no answer.

    By the equality of the grader, as far as its verdicts tell: all right completions of a problem are one vote, however
    they are written, and so is a completion without a verdict that is written like one of them. Wrong answers are
    compared with the gold only, so that they are told apart by their normalised text.

    Args:
        grades: ``tables.GRADES``, any order.
    """
    answers = grades["extracted"]
    unique = {answer: list_key(answer) for answer in answers.dropna().unique()}
    keys = [unique.get(answer) for answer in answers]
    named = list(zip(grades["benchmark"], grades["problem_id"], keys, strict=True))
    right = {place for place, verdict in zip(named, grades["verdict"], strict=True) if verdict == "correct"}
    found = np.empty(len(named), dtype=object)
    found[:] = [None if place[2] is None else RIGHT if place in right else place[2] for place in named]
    return found


def list_key(answer: str) -> str:
    """Key of an answer's vote, in which a space behind a comma within brackets does not count: (1, 2) is (1,2)."""
    key = vote_key(answer)
    return LIST_SPACE.sub("", key) if key.startswith(("(", "[", "{", "\\{", r"\left")) else key


def _identity(grades: pd.DataFrame) -> tuple[str, str]:
    """Run and benchmark that all rows share."""
    if len(identities := grades[SAME_EVERYWHERE].drop_duplicates()) != 1:
        problem = f"expected grades of one run on one benchmark, found {len(identities)}."
        raise InputError("grades", problem, "Score each file by itself.")
    run_id, benchmark = identities.iloc[0]
    return run_id, benchmark


def _samples_per_problem(ordered: pd.DataFrame) -> int:
    """k, after checking that every problem has the samples 0 .. k-1."""
    counts = ordered.groupby("problem_id")["sample"].agg(["size", "max"])
    k = int(counts["size"].max())
    incomplete = counts[(counts["size"] != k) | (counts["max"] != k - 1)]
    if not incomplete.empty:
        problem = f"expected samples 0 .. {k - 1} of every problem, found {incomplete['size'].iloc[0]}."
        raise InputError(f"grades of problem {incomplete.index[0]!r}", problem, "Delete the samples and sample again.")
    return k


def _shares(grades: pd.DataFrame) -> dict[str, float]:
    """Shares of the verdicts that are not ``correct``, and what the completions' lengths say."""
    shares = {f"{verdict}_share": grades["verdict"] == verdict for verdict in ("wrong", "unparsed", "timed_out")}
    lengths = {
        "truncated_share": grades["finish_reason"] == "length",
        "mean_completion_tokens": grades["completion_tokens"],
    }
    return {name: float(column.mean()) for name, column in (shares | lengths).items()}


def score_file(
    grades_path: str | Path, record_path: str | Path, scores_path: str | Path, answers_path: str | Path
) -> None:
    """Read the grades of a suite, score each benchmark, write ``tables.SCORES`` and ``tables.ANSWERS``.

    Args:
        grades_path: ``tables.GRADES``.
        record_path: What the samples were drawn from; it knows how much of the run's update rounding removed.
        scores_path: Table of scores to write.
        answers_path: Table of the scores of every problem to write; comparisons of runs are paired by them.
    """
    parts = [part for _, part in read_table(grades_path, GRADES).groupby("benchmark", sort=False)]
    lost = read_json(record_path).get("lost_share", math.nan)
    answers = [score_problems(part) for part in parts]
    scores = [summarise(found, part) for found, part in zip(answers, parts, strict=True)]
    write_table(pd.concat(scores, ignore_index=True).assign(lost_share=lost), scores_path, SCORES)
    write_table(pd.concat(answers, ignore_index=True), answers_path, ANSWERS)
