"""Grade completions: text in, verdict out. Runs on a CPU and never samples anything again."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_table, write_table
from rlvr.grading.batches import Completion, Resources, grade_all
from rlvr.grading.grader import GRADER_VERSION, check_gold
from rlvr.tables import GRADES, PROBLEMS, SAMPLES


def grade_samples(samples: pd.DataFrame, problems: pd.DataFrame, resources: Resources) -> pd.DataFrame:
    """Grade every completion against the gold of its problem.

    Args:
        samples: ``tables.SAMPLES``.
        problems: ``tables.PROBLEMS`` of the benchmarks, with at least the problems that were sampled.
        resources: Worker processes and the folder of known grades.

    Returns:
        ``tables.GRADES``, one row for every sample in the samples' order.

    Raises:
        InputError: If a sample's problem is missing, nothing grades its kind, or a gold cannot be read.
    """
    keys = list(zip(samples["benchmark"], samples["problem_id"], strict=True))
    graded_by = golds_of(problems)
    if missing := sorted(set(keys) - graded_by.keys()):
        where = f"problem {missing[0][1]!r} of {missing[0][0]!r}"
        raise InputError(where, "was sampled but is not in the problems' table.", "Sample again.")
    for key in dict.fromkeys(keys):
        _check_gold(key[1], *graded_by[key])
    completions = [Completion(text, *graded_by[key]) for text, key in zip(samples["text"], keys, strict=True)]
    grades = grade_all(completions, resources)
    return samples.drop(columns="text").assign(
        verdict=[one.verdict for one in grades],
        extracted=pd.Series([one.extracted for one in grades], index=samples.index, dtype="object"),
        stage=[one.stage for one in grades],
        grader=GRADER_VERSION,
    )


def golds_of(problems: pd.DataFrame) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Gold, verifier and meta of every problem, by data set and problem id."""
    names = zip(problems["dataset"], problems["problem_id"], strict=True)
    return dict(zip(names, zip(problems["answer"], problems["verifier"], problems["meta"], strict=True), strict=True))


def _check_gold(problem_id: str, gold: str, verifier: str, meta: str) -> None:
    """``check_gold``, with the problem's name in the message."""
    try:
        check_gold(gold, verifier, meta)
    except InputError as error:
        raise InputError(f"problem {problem_id!r}, {error.where}", error.problem, error.remedy) from error


def grade_file(
    samples_path: str | Path, problems_paths: Sequence[str | Path], grades_path: str | Path, resources: Resources
) -> None:
    """Read the samples and the problems of a suite, grade, write ``tables.GRADES``."""
    problems = pd.concat([read_table(path, PROBLEMS) for path in problems_paths], ignore_index=True)
    grades = grade_samples(read_table(samples_path, SAMPLES), problems, resources)
    write_table(grades, grades_path, GRADES)
