"""Grade completions: text in, verdict out. Runs on a CPU and never samples anything again."""

from collections.abc import Sequence
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
        problems: ``tables.PROBLEMS`` of the benchmarks, with at least the problems that were sampled.

    Returns:
        ``tables.GRADES``, one row for every sample in the samples' order.

    Raises:
        InputError: If a sample's problem is missing, nothing grades its kind, or a gold cannot be read.
    """
    keys = list(zip(samples["benchmark"], samples["problem_id"], strict=True))
    sampled = set(keys)
    names = zip(problems["dataset"], problems["problem_id"], strict=True)
    golds = zip(problems["answer"], problems["verifier"], strict=True)
    graded_by = dict(zip(names, golds, strict=True))
    if missing := sorted(sampled - graded_by.keys()):
        where = f"problem {missing[0][1]!r} of {missing[0][0]!r}"
        raise InputError(where, "was sampled but is not in the problems' table.", "Sample again.")
    for key in sampled:
        _check_gold(key[1], *graded_by[key])
    grades = [grade(text, *graded_by[key]) for text, key in zip(samples["text"], keys, strict=True)]
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


def grade_file(samples_path: str | Path, problems_paths: Sequence[str | Path], grades_path: str | Path) -> None:
    """Read the samples and the problems of a suite, grade, write ``tables.GRADES``."""
    problems = pd.concat([read_table(path, PROBLEMS) for path in problems_paths], ignore_index=True)
    write_table(grade_samples(read_table(samples_path, SAMPLES), problems), grades_path, GRADES)
