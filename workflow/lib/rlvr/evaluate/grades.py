"""Grade completions: text in, verdict out. Runs on a CPU and never samples anything again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table, write_table
from rlvr.evaluate.sampled import check_record, check_samples, record_of
from rlvr.grading.batches import Completion, Resources, grade_all
from rlvr.grading.golds import require_readable
from rlvr.grading.grader import GRADER_VERSION
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
        InputError: If a sample's problem is missing, nothing grades its kind, or its gold cannot be read.
    """
    keys = list(zip(samples["benchmark"], samples["problem_id"], strict=True))
    graded_by = golds_of(problems)
    if missing := sorted(set(keys) - graded_by.keys()):
        where = f"problem {missing[0][1]!r} of {missing[0][0]!r}"
        raise InputError(where, "was sampled but is not in the problems' table.", "Sample again.")
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


def grade_file(
    samples_path: str | Path,
    record_path: str | Path,
    problems_paths: Mapping[str, str | Path],
    base_dir: str | Path,
    asked: Mapping[str, Any],
    grades_path: str | Path,
    resources: Resources,
) -> None:
    """Read the samples and the problems of a suite, grade, write ``tables.GRADES``.

    Args:
        samples_path: ``tables.SAMPLES``.
        record_path: What they were drawn from, as ``sampled.record_of`` wrote it.
        problems_paths: Problems by benchmark.
        base_dir: Folder of the base that was sampled or trained.
        asked: How samples are drawn today; see ``sampled.record_of``.
        grades_path: Table to write.
        resources: Worker processes and the folder of known grades.

    Raises:
        InputError: If problems, base or settings are not those of the samples, or as ``grade_samples``.
    """
    problems = {name: read_table(path, PROBLEMS) for name, path in problems_paths.items()}
    record = read_json(record_path)
    check_record(record, record_of(problems, base_dir, asked), record_path)
    check_samples(record, samples_path)
    for name, path in problems_paths.items():
        require_readable(problems[name], path)
    together = pd.concat(problems.values(), ignore_index=True)
    grades = grade_samples(read_table(samples_path, SAMPLES), together, resources)
    write_table(grades, grades_path, GRADES)
