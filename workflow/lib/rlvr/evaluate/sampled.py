"""Record of the questions, base and settings that samples were drawn from, compared before they are graded.

Sampling takes its problems and its base as ``ancient``: a table that is written again with the same questions samples
nothing again. This comparison is the other half of that bargain.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rlvr.core.digests import SAMPLED_FROM, digest_rows
from rlvr.core.errors import InputError
from rlvr.core.installed import weights_sha256
from rlvr.core.io import atomic_folder, atomic_path, read_json, sha256_file

KEPT = ".drawn"  # Snakemake deletes the outputs of a job before it starts it again
OF_THE_RESULT = frozenset({"lost_share", "samples_sha256"})  # of a record: known when samples are drawn


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


def keep_samples(samples_path: str | Path, record_path: str | Path) -> None:
    """Keep samples and their record where the workflow deletes nothing, without a copy of their bytes."""
    with atomic_folder(Path(samples_path).parent / KEPT) as folder:
        for path in (Path(samples_path), Path(record_path)):
            link_or_copy(path, folder / path.name)


def drawn_before(
    samples_path: str | Path, record_path: str | Path, today: Mapping[str, Any], max_lost_share: float
) -> list[Path]:
    """Find samples that were drawn before from what is there today, and are whole.

    Args:
        samples_path: The table.
        record_path: Its record.
        today: Everything that samples depend on: ``record_of``, and the digests of the run's weights as ``weights``.
        max_lost_share: Largest share of the update that rounding may have removed.

    Returns:
        The kept table and its record; nothing if there are no such samples.
    """
    kept = [Path(samples_path).parent / KEPT / Path(path).name for path in (samples_path, record_path)]
    if not all(path.is_file() for path in kept):
        return []
    record = read_json(kept[1])
    drawn_from = {name: value for name, value in record.items() if name not in OF_THE_RESULT}
    whole = record.get("samples_sha256") == sha256_file(kept[0])
    return kept if drawn_from == today and whole and record["lost_share"] <= max_lost_share else []


def restore_samples(
    samples_path: str | Path, record_path: str | Path, today: Mapping[str, Any], max_lost_share: float
) -> bool:
    """Give back what :func:`drawn_before` finds; the arguments are its own. Returns whether there was anything."""
    kept = drawn_before(samples_path, record_path, today, max_lost_share)
    for source, target in zip(kept, (samples_path, record_path), strict=False):
        with atomic_path(target) as temporary:
            link_or_copy(source, temporary)
        print(f"drawn before, from the same weights and questions: {target} is as it was", flush=True)
    return bool(kept)


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file, or a copy of it where the file system has no such names."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
