"""Record of the questions, base and settings that samples were drawn from, compared before they are graded.

Sampling takes its problems and its base as ``ancient``: a table that is written again with the same questions samples
nothing again. This comparison is the other half of that bargain.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rlvr.bases.loading import weights_sha256
from rlvr.core.digests import SAMPLED_FROM, digest_rows
from rlvr.core.errors import InputError
from rlvr.core.io import sha256_file


def record_of(problems: Mapping[str, pd.DataFrame], base_dir: str | Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Record everything that samples depend on, for a comparison with what is there later.

    Args:
        problems: ``tables.PROBLEMS`` by benchmark.
        base_dir: Folder of the base.
        asked: How they are sampled: recipe version and, by benchmark, sampling settings, as JSON values.

    Returns:
        ``problems``: digest of ids and questions by benchmark (golds do not count: they are graded against later);
        ``base_files``: SHA-256 of the base's weight files by name; ``asked``, as given.
    """
    digests = {name: digest_rows(rows, SAMPLED_FROM) for name, rows in problems.items()}
    return {"problems": digests, "base_files": weights_sha256(base_dir), "asked": dict(asked)}


def check_record(record: Mapping[str, Any], today: Mapping[str, Any], where: object) -> None:
    """Check that samples were drawn as they would be today: from these problems and this base, with these settings.

    Args:
        record: What ``record_of`` returned when they were drawn.
        today: What it returns now.
        where: The record's file, for messages.

    Raises:
        InputError: Names the benchmark, the base or the settings, and both values.
    """
    remedy = f"Restore it, or sample again: delete {where}, or raise recipe_version in the scale file for all runs."
    for name, found in today["problems"].items():
        if (drawn_from := record.get("problems", {}).get(name)) != found:
            problem = f"the samples are of other problems of '{name}': digest {drawn_from}, today {found}."
            raise InputError(where, problem, remedy)
    for key, words in (("base_files", "of another base: its weights were"), ("asked", "drawn with other settings:")):
        if (recorded := record.get(key)) != today[key]:
            raise InputError(where, f"the samples are {words} {recorded}, today {today[key]}.", remedy)


def check_samples(record: Mapping[str, Any], samples_path: str | Path) -> None:
    """Compare samples with the digest that was recorded when they were drawn, if there is one.

    Raises:
        InputError: If some were taken out, added or changed since; gives both digests.
    """
    recorded, found = record.get("samples_sha256"), sha256_file(samples_path)
    if recorded not in (None, found):
        remedy = "Restore it, or delete it: it is sampled again."
        raise InputError(samples_path, f"has changed: SHA-256 {found}, drawn with {recorded}.", remedy)
