"""Finished runs that are not what is asked for today, found from their manifests before anything is planned.

Snakemake compares parameters with its own records, which a copied or touched folder of results does not have. A
manifest says what its run was trained with; the spec file, which training depends on by its time, is brought in line
with that. Imported by the Snakefile at parse time: no heavy imports here.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json
from rlvr.plan.freshness import deciding_settings, find_differences, spec_content

OUTPUTS = ("run.json", "metrics.parquet")
MARGIN_NS = 10**9  # file systems with whole seconds


def settle_specs(specs: Mapping[str, Mapping[str, Any]], results: Path) -> dict[str, list[str]]:
    """Date the spec of every finished run: before its manifest if it still is the run that is asked for, or after it.

    Args:
        specs: Resolved settings by run id.
        results: Folder of the scale's results. Where it cannot be written, nothing is settled.

    Returns:
        What differs, in words, by run id; only runs that will be trained again.
    """
    stale = {}
    for run_id, settings in specs.items():
        run = results / "train" / run_id
        if not (run / "run.json").is_file():
            continue
        differences = _differences(run / "run.json", settings)
        if differences:
            stale[run_id] = differences
        try:
            _date_spec(results / "specs" / f"{run_id}.json", spec_content(settings), run, fresh=not differences)
        except PermissionError:
            break
    return stale


def _differences(manifest: Path, settings: Mapping[str, Any]) -> list[str]:
    try:
        recorded = read_json(manifest)["settings"]
        return find_differences(recorded, deciding_settings(settings))
    except (InputError, KeyError, TypeError, AttributeError):
        return ["its manifest cannot be read"]


def _date_spec(path: Path, content: Mapping[str, Any], run: Path, fresh: bool) -> None:
    """Write a spec where it says something else, and move its time to the right side of the run's outputs."""
    finished = min(output.stat().st_mtime_ns for name in OUTPUTS if (output := run / name).is_file())
    if not path.is_file() or _unreadable_or_other(path, content):
        write_json(dict(content), path)
    written = path.stat().st_mtime_ns
    if fresh and written > finished:
        os.utime(path, ns=(finished - MARGIN_NS, finished - MARGIN_NS))
    elif not fresh and written <= finished:
        os.utime(path)


def _unreadable_or_other(path: Path, content: Mapping[str, Any]) -> bool:
    try:
        return bool(read_json(path) != dict(content))
    except InputError:
        return True


def stale_lines(stale: Mapping[str, list[str]]) -> list[str]:
    """One line for each stale run, for the terminal."""
    return [f"stale: {run_id} was trained with {'; '.join(found)}" for run_id, found in sorted(stale.items())]
