"""What samples were drawn from, recorded beside them and compared before they are graded.

Sampling takes its problems and its base as ``ancient``: a table that is written anew with the same questions samples
nothing again. This comparison is the other half of that bargain.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rlvr.bases.loading import weights_sha256
from rlvr.core.digests import SAMPLED_FROM, digest_rows
from rlvr.core.errors import InputError


def record_of(problems: Mapping[str, pd.DataFrame], base_dir: str | Path) -> dict[str, Any]:
    """What samples depend on, for a comparison with what is there later.

    Args:
        problems: ``tables.PROBLEMS`` by benchmark.
        base_dir: Folder of the base.

    Returns:
        ``problems``: digest of ids and questions by benchmark (golds do not count: they are graded against later), and
        ``base_files``: SHA-256 of the base's weight files by name.
    """
    digests = {name: digest_rows(rows, SAMPLED_FROM) for name, rows in problems.items()}
    return {"problems": digests, "base_files": weights_sha256(base_dir)}


def check_record(
    record: Mapping[str, Any], problems: Mapping[str, pd.DataFrame], base_dir: str | Path, where: object
) -> None:
    """Check that samples were drawn from the problems and the base that are there today.

    Args:
        record: What ``record_of`` returned when they were drawn.
        problems: ``tables.PROBLEMS`` by benchmark, as they are now.
        base_dir: Folder of the base.
        where: The record's file, for messages.

    Raises:
        InputError: Names the benchmark or the base, and both digests.
    """
    today = record_of(problems, base_dir)
    remedy = f"Restore it, or sample anew: delete {where}, or raise recipe_version in the scale file for all runs."
    for name, found in today["problems"].items():
        if (drawn_from := record.get("problems", {}).get(name)) != found:
            problem = f"the samples are of other problems of '{name}': digest {drawn_from}, today {found}."
            raise InputError(where, problem, remedy)
    if (answered := record.get("base_files")) != today["base_files"]:
        problem = f"the samples are of another base: its weights were {answered}, today {today['base_files']}."
        raise InputError(where, problem, remedy)
