"""Completions of runs by the folders in which their evaluation lies, for whoever compares runs by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.report.evidence import read_tables
from rlvr.report.sample_pages import Shown, assemble, choose

SAMPLES_FILE, GRADES_FILE, EVAL_FILE = "samples.parquet", "grades.parquet", "eval.parquet"
EVALUATE = "evaluate"


@dataclass(frozen=True)
class Evaluated:
    """An evaluated run: its name, its suites' folders, and the folder ``data`` of its scale."""

    run_id: str
    suites: tuple[Path, ...]
    data: Path


def find_evaluated(place: str | Path) -> Evaluated:
    """The evaluation of a run.

    Args:
        place: ``evaluate/<run>`` or ``train/<run>`` of the results of a scale, or the folder of one suite.

    Raises:
        InputError: If nothing was evaluated there.
    """
    path = Path(place)
    if path.parent.name == "train" and (beside := path.parents[1] / EVALUATE / path.name).is_dir():
        path = beside
    run = path.parent if (path / GRADES_FILE).is_file() else path
    suites = (path,) if run != path else tuple(sorted(each.parent for each in path.glob(f"*/{GRADES_FILE}")))
    if not suites:
        problem = f"holds no suite with {SAMPLES_FILE} and {GRADES_FILE}."
        raise InputError(place, problem, "Give results/<scale>/evaluate/<run>; `snakemake evaluate` makes it.")
    return Evaluated(run.name, suites, run.resolve().parents[1] / "data")


def compare_runs(runs: Sequence[Evaluated], benchmark: str, problems: Sequence[str] | int) -> tuple[str, list[Shown]]:
    """Chosen problems of a benchmark with the completions of every run.

    Args:
        runs: Evaluated runs, each of another name.
        benchmark: Name of the benchmark; empty for the first that all runs have.
        problems: Ids, or how many of the first by id.

    Returns:
        The benchmark's name, and its problems in order.

    Raises:
        InputError: If the runs share no such benchmark, its problems are not there, or an id is unknown.
    """
    from rlvr.tables import GRADES, PROBLEMS, SAMPLES

    names = [run.run_id for run in runs]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise InputError(f"run '{repeated[0]}'", "stands twice.", "Name each run once.")
    files = [suite for run in runs for suite in run.suites]
    samples, grades = (
        read_tables([str(suite / name) for suite in files], schema)
        for name, schema in ((SAMPLES_FILE, SAMPLES), (GRADES_FILE, GRADES))
    )
    sampled = grades.groupby("benchmark", sort=True)["run_id"].nunique()
    shared = [str(name) for name, count in sampled.items() if count == len(runs)]
    if not shared or (benchmark and benchmark not in shared):
        where = f"benchmark '{benchmark}'" if benchmark else ", ".join(names)
        raise InputError(
            where, "is not what all runs were evaluated on.", f"They share: {', '.join(shared) or 'none'}."
        )
    chosen = benchmark or shared[0]
    path = runs[0].data / chosen / EVAL_FILE
    if not path.is_file():
        raise InputError(path, "no such file.", "The problems lie beside the evaluation: results/<scale>/data/<name>.")
    wanted = choose(read_tables([str(path)], PROBLEMS), problems, chosen)
    own = {"samples": samples[samples["benchmark"] == chosen], "grades": grades[grades["benchmark"] == chosen]}
    return chosen, assemble(own["samples"], own["grades"], wanted, names)


def as_records(page: Sequence[Shown], benchmark: str) -> list[dict[str, Any]]:
    """A page as plain records: one per problem, run and sample."""
    return [
        {
            "benchmark": benchmark,
            "problem_id": shown.problem_id,
            "question": shown.question,
            "answer": shown.answer,
            "run_id": run_id,
            "sample": one.number,
            "verdict": one.verdict,
            "extracted": one.extracted,
            "tokens": one.tokens,
            "text": one.text,
        }
        for shown in page
        for run_id, samples in shown.runs.items()
        for one in samples
    ]
