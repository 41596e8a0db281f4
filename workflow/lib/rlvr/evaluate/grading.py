"""Grade completions: text in, verdict out. Runs on a CPU and never samples anything again."""

from pathlib import Path

import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_table, write_table
from rlvr.rewards.grader import GRADER_VERSION, check_gold, grade
from rlvr.tables import GRADES, PROBLEMS, SAMPLES


def grade_samples(samples: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Grade every completion against the gold of its problem.

    The graders remember pairs of gold and answer that they have compared, so that repeated answers cost nothing.

    Args:
        samples: ``tables.SAMPLES``.
        problems: ``tables.PROBLEMS`` with at least the problems that were sampled.

    Returns:
        ``tables.GRADES``, one row for every sample in the samples' order.

    Raises:
        InputError: If a sample's problem is missing, nothing grades its kind, or a gold cannot be read.
    """
    sampled = problems[problems["problem_id"].isin(samples["problem_id"])]
    golds = zip(sampled["answer"], sampled["verifier"], strict=True)
    graded_by = dict(zip(sampled["problem_id"], golds, strict=True))
    if missing := sorted(set(samples["problem_id"]) - graded_by.keys()):
        raise InputError(f"problem {missing[0]!r}", "was sampled but is not in the problems' table.", "Sample again.")
    for problem_id, (gold, verifier) in graded_by.items():
        _check_gold(problem_id, gold, verifier)
    grades = [grade(text, *graded_by[key]) for text, key in zip(samples["text"], samples["problem_id"], strict=True)]
    return samples.drop(columns="text").assign(
        verdict=[one.verdict for one in grades],
        extracted=pd.Series([one.extracted for one in grades], index=samples.index, dtype="object"),
        stage=[one.stage for one in grades],
        grader=GRADER_VERSION,
    )


def _check_gold(problem_id: str, gold: str, verifier: str) -> None:
    """``check_gold``, with the problem's name in the message."""
    try:
        check_gold(gold, verifier)
    except InputError as error:
        raise InputError(f"problem {problem_id!r}, {error.where}", error.problem, error.remedy) from error


def grade_file(samples_path: str | Path, problems_path: str | Path, grades_path: str | Path) -> None:
    """Read samples and problems, grade, write ``tables.GRADES``."""
    grades = grade_samples(read_table(samples_path, SAMPLES), read_table(problems_path, PROBLEMS))
    write_table(grades, grades_path, GRADES)
