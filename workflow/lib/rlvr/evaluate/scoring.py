"""Score a run on the benchmarks of a suite: average, best and majority of k, with intervals over problems."""

from pathlib import Path

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_table, write_table
from rlvr.core.seeds import make_rng
from rlvr.grading.mathematics.answers import vote_key
from rlvr.stats.estimators import avg_at_k, maj_at_k, pass_at_k
from rlvr.stats.intervals import bootstrap_mean
from rlvr.tables import GRADES, SCORES

SAME_EVERYWHERE = ["run_id", "benchmark"]


def score_grades(grades: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Avg@k, Pass@k and maj@k of one run on one benchmark.

    Args:
        grades: ``tables.GRADES`` of one run and benchmark.
        resamples: Bootstrap resamples of the problems.
        seed: Root of the resampling streams; each run, benchmark and statistic has its own.

    Returns:
        ``tables.SCORES``, one row for each statistic, with a 95 % interval and the shares of the other verdicts.

    Raises:
        InputError: If the grades are of several runs or the problems have different numbers of samples.
    """
    run_id, benchmark = _identity(grades)
    ordered = grades.sort_values(["problem_id", "sample"])
    k = _samples_per_problem(ordered)
    correct_PK = (ordered["verdict"] == "correct").to_numpy().reshape(-1, k)
    answers_PK = vote_keys(ordered).reshape(-1, k)
    values: dict[str, np.ndarray] = {
        "avg_at_k": avg_at_k(correct_PK),
        "pass_at_k": pass_at_k(np.full(len(correct_PK), k), correct_PK.sum(axis=1), k),
        "maj_at_k": maj_at_k(answers_PK, correct_PK),
    }
    return pd.DataFrame(
        [
            {"statistic": statistic, **_mean_and_interval(values_P, resamples, seed, run_id, benchmark, statistic)}
            for statistic, values_P in values.items()
        ]
    ).assign(run_id=run_id, benchmark=benchmark, k=k, n_problems=len(correct_PK), **_shares(grades))


def _mean_and_interval(values_P: np.ndarray, resamples: int, *stream: object) -> dict[str, float]:
    interval = bootstrap_mean(values_P, make_rng(*stream), resamples)
    return {"value": float(values_P.mean()), "low": interval.low, "high": interval.high}


def vote_keys(grades: pd.DataFrame) -> np.ndarray:
    """What each completion votes for: its normalised answer, or ``None`` where there is none."""
    unique = {answer: vote_key(answer) for answer in grades["extracted"].dropna().unique()}
    return np.array([unique.get(answer) for answer in grades["extracted"]], dtype=object)


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


def score_file(grades_path: str | Path, scores_path: str | Path, resamples: int, seed: int) -> None:
    """Read the grades of a suite, score each benchmark, write ``tables.SCORES``."""
    grades = read_table(grades_path, GRADES)
    scores = [score_grades(part, resamples, seed) for _, part in grades.groupby("benchmark", sort=False)]
    write_table(pd.concat(scores, ignore_index=True), scores_path, SCORES)
