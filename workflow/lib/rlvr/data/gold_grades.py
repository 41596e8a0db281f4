r"""Grade the gold answers themselves: where a gold does not match its own ``\boxed{}``, no answer can be right."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from rlvr.core.errors import InputError
from rlvr.core.io import read_table, write_json, write_table
from rlvr.grading.grader import GRADER_VERSION, check_gold, find_verifier, grade
from rlvr.tables import PROBLEMS, VERDICTS

GOLDS = pa.DataFrameSchema(
    {
        "problem_id": pa.Column(str),
        "dataset": pa.Column(str),
        "answer": pa.Column(str),
        "verdict": pa.Column(str, pa.Check.isin(VERDICTS)),
        "problem": pa.Column(str, nullable=True, description="why the gold cannot be graded against"),
    },
    name="golds",
    unique=["dataset", "problem_id"],
    strict=True,
    coerce=True,
)


def grade_golds(problems: pd.DataFrame) -> pd.DataFrame:
    """Grade every gold as if a model had answered it.

    Args:
        problems: ``tables.PROBLEMS``.

    Returns:
        ``GOLDS``: one row for every problem; a gold that cannot be read has the verdict ``unparsed`` and the reason.

    Raises:
        InputError: If nothing grades problems of some kind.
    """
    for verifier in problems["verifier"].unique():
        find_verifier(verifier)
    asked = zip(problems["answer"], problems["verifier"], problems["meta"], strict=True)
    judged = [judge_gold(*gold) for gold in asked]
    return problems[["problem_id", "dataset", "answer"]].assign(
        verdict=[verdict for verdict, _ in judged],
        problem=pd.Series([problem for _, problem in judged], index=problems.index, dtype="object"),
    )


def judge_gold(gold: str, verifier: str, meta: str) -> tuple[str, str | None]:
    """Verdict of one gold against itself, and what is wrong with it, if anything."""
    try:
        check_gold(gold, verifier, meta)
    except InputError as error:
        return "unparsed", str(error)
    verdict = grade(find_verifier(verifier).show(gold, meta), gold, verifier, meta).verdict
    return verdict, None if verdict == "correct" else "does not match itself"


def summarise(golds: pd.DataFrame) -> dict[str, object]:
    """Counts for each data set, and every gold that is not correct against itself."""
    failed = golds[golds["verdict"] != "correct"]
    return {
        "grader": GRADER_VERSION,
        "datasets": {
            dataset: {"problems": len(rows), "correct": int((rows["verdict"] == "correct").sum())}
            for dataset, rows in golds.groupby("dataset")
        },
        "failed": failed[["dataset", "problem_id", "answer", "verdict", "problem"]].to_dict("records"),
    }


def grade_golds_file(problems_paths: Sequence[str | Path], out_path: str | Path) -> None:
    """Read problems, grade their golds, write ``GOLDS`` and, beside it, a summary as JSON."""
    problems = pd.concat([read_table(path, PROBLEMS) for path in problems_paths], ignore_index=True)
    golds = grade_golds(problems)
    write_table(golds, out_path, GOLDS)
    write_json(summarise(golds), Path(out_path).with_suffix(".json"))
