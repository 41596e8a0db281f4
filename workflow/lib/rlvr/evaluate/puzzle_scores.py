"""Enigmata by task: the scored verdicts beside what the prompts' rules say, and how high a task can score at all."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from rlvr.core.csvfile import csv_text
from rlvr.core.errors import InputError
from rlvr.core.escaping import markdown_table
from rlvr.core.io import atomic_path, read_table, write_table
from rlvr.evaluate.grades import golds_of
from rlvr.grading.enigmata.tasks import TASKS
from rlvr.grading.enigmata.verify import judge, show_answer
from rlvr.tables import GRADES, PROBLEMS, PUZZLES, SAMPLES

FAMILY = "enigmata/"
KEYS = ["run_id", "benchmark", "problem_id", "sample"]


def judge_puzzles(samples: pd.DataFrame, grades: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Put the verdict of the prompt's rules beside the scored one.

    Args:
        samples: ``tables.SAMPLES``.
        grades: ``tables.GRADES`` of the same completions; their verdicts are the official ones.
        problems: ``tables.PROBLEMS`` that were sampled; problems of other kinds are left out.

    Returns:
        ``tables.PUZZLES``, one row for every completion of a puzzle.

    Raises:
        InputError: If the grades are not those of the samples, or a record cannot be graded against.
    """
    puzzles = problems[problems["verifier"].str.startswith(FAMILY)]
    golds = golds_of(puzzles)
    joined = samples.merge(grades[[*KEYS, "verdict"]], on=KEYS, how="inner", validate="one_to_one")
    if len(joined) != len(samples):
        raise InputError("grades", f"miss {len(samples) - len(joined)} of the samples.", "Grade again.")
    keys = pd.Series(list(zip(joined["benchmark"], joined["problem_id"], strict=True)), index=joined.index)
    joined, keys = joined[keys.isin(golds.keys())], keys[keys.isin(golds.keys())]
    tasks = [golds[key][1].removeprefix(FAMILY) for key in keys]
    rules = [_rules_verdict(text, *golds[key]) for text, key in zip(joined["text"], keys, strict=True)]
    return joined[KEYS].assign(task=tasks, official=joined["verdict"], rules=rules).reset_index(drop=True)


def _rules_verdict(text: str, gold: str, verifier: str, meta: str) -> str:
    return judge(text, gold, meta, verifier.removeprefix(FAMILY), "rules").verdict


def score_tasks(verdicts: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of every task in both modes, beside its ceilings.

    Args:
        verdicts: ``tables.PUZZLES`` of one run on one benchmark.
        problems: ``tables.PROBLEMS`` of the benchmark, and perhaps of others.

    Returns:
        One row per task and one for all: numbers of problems and samples, accuracies, ``ceiling`` as declared for the
        released puzzles, ``reachable``: the share of these problems whose stored answer is right in both modes
        (missing where no answer is stored), and why the modes differ.
    """
    run_id, benchmark = verdicts[["run_id", "benchmark"]].iloc[0]
    reachable = reachable_shares(problems[problems["dataset"] == benchmark])
    rows = [
        {
            **_accuracies(str(task), part),
            "ceiling": TASKS[str(task)].ceiling,
            "reachable": reachable[str(task)],
            "remark": TASKS[str(task)].why,
        }
        for task, part in verdicts.groupby("task")
    ]
    scores = pd.DataFrame([*rows, {**_accuracies("all", verdicts), "remark": ""}])
    return scores.assign(run_id=run_id, benchmark=benchmark)


def _accuracies(task: str, verdicts: pd.DataFrame) -> dict[str, object]:
    official, rules = (verdicts[mode] == "correct" for mode in ("official", "rules"))
    return {
        "task": task,
        "problems": verdicts["problem_id"].nunique(),
        "samples": len(verdicts),
        "official": official.mean(),
        "rules": rules.mean(),
        "differ": (official != rules).mean(),
    }


def reachable_shares(problems: pd.DataFrame) -> dict[str, float | None]:
    """Share of each task's problems whose stored answer, written as asked, is right in both modes."""
    found: dict[str, list[bool]] = {}
    for (_, _), (gold, verifier, meta) in golds_of(problems).items():
        if verifier.startswith(FAMILY):
            task = verifier.removeprefix(FAMILY)
            found.setdefault(task, []).append(_is_reachable(gold, meta, task))
    return {task: sum(rows) / len(rows) if TASKS[task].stores_answer else None for task, rows in found.items()}


def _is_reachable(gold: str, meta: str, task: str) -> bool:
    text = show_answer(gold, meta, task)
    return all(judge(text, gold, meta, task, mode).verdict == "correct" for mode in ("official", "rules"))


def write_markdown(scores: pd.DataFrame) -> str:
    """The scores as a Markdown table, shares in percent."""
    shares = ["official", "rules", "differ", "ceiling", "reachable"]
    percent = {name: (100 * scores[name].astype(float)).map("{:.1f}".format) for name in shares}
    shown = scores.drop(columns=["run_id"]).assign(**percent)
    return markdown_table(shown.replace("nan", "-"), disable_numparse=True) + "\n"


def score_puzzles_files(
    samples_path: str | Path,
    grades_path: str | Path,
    problems_paths: Sequence[str | Path],
    verdicts_path: str | Path,
    scores_path: str | Path,
    markdown_path: str | Path,
) -> None:
    """Read samples, grades and problems of a suite; write ``tables.PUZZLES`` and the scores as CSV and Markdown."""
    problems = pd.concat([read_table(path, PROBLEMS) for path in problems_paths], ignore_index=True)
    verdicts = judge_puzzles(read_table(samples_path, SAMPLES), read_table(grades_path, GRADES), problems)
    write_table(verdicts, verdicts_path, PUZZLES)
    parts = [score_tasks(part, problems) for _, part in verdicts.groupby("benchmark", sort=False)]
    scores = pd.concat(parts, ignore_index=True)
    with atomic_path(scores_path) as path:
        path.write_text(csv_text(scores), encoding="utf-8")
    with atomic_path(markdown_path) as path:
        path.write_text(write_markdown(scores), encoding="utf-8")
