"""Golds that nothing can be graded against: found before training, not in the middle of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rlvr.core.errors import InputError
from rlvr.grading.grader import find_verifier

if TYPE_CHECKING:
    import pandas as pd

CURATE_AGAIN = "Curation takes such problems out: curate the data set again (`snakemake data`)."


def find_unreadable(golds: Sequence[str], verifiers: Sequence[str], metas: Sequence[str]) -> dict[int, str]:
    """Positions of the golds that their verifier cannot read, and why.

    Args:
        golds: Gold answers.
        verifiers: Kind of each problem, as ``grader.grade`` takes it.
        metas: Further facts of each problem, JSON.

    Raises:
        InputError: If nothing grades problems of some kind: that stops a run, it does not drop a problem.
    """
    for verifier in dict.fromkeys(verifiers):
        find_verifier(verifier)
    asked = list(zip(golds, verifiers, metas, strict=True))
    reasons = {one: _reason(*one) for one in dict.fromkeys(asked)}  # half of a hard set's golds may be "Yes"
    return {position: reason for position, one in enumerate(asked) if (reason := reasons[one]) is not None}


def _reason(gold: str, verifier: str, meta: str) -> str | None:
    """Why a gold cannot be read; ``None`` where it can."""
    try:
        find_verifier(verifier).check_gold(gold, meta)
    except InputError as error:
        return str(error)
    return None


def find_unreadable_golds(problems: "pd.DataFrame") -> dict[int, str]:
    """Positions of the problems (columns of ``tables.PROBLEMS``) whose gold cannot be read, and why."""
    return find_unreadable(*(problems[name].tolist() for name in ("answer", "verifier", "meta")))


def require_readable(problems: "pd.DataFrame", path: object) -> None:
    """Assert what curation has seen to: every gold of a table of problems can be graded against.

    Raises:
        InputError: Names the file, the first problem whose gold cannot be read, and why.
    """
    for position, reason in find_unreadable_golds(problems).items():
        raise InputError(f"{path}, problem '{problems['problem_id'].iloc[position]}'", reason, CURATE_AGAIN)
