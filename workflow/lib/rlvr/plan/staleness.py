"""Finished runs that are not what is asked for today, found from their manifests before anything is planned.

Snakemake compares parameters with its own records, which a copied or touched folder of results does not have. A
manifest says what its run was trained with; the spec file, which training depends on by its time, is brought in line
with that. Imported by the Snakefile at parse time: no heavy imports here.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json
from rlvr.plan.freshness import deciding_settings, find_differences, spec_content

OUTPUTS = ("run.json", "metrics.parquet")
SAMPLED = ("samples.parquet", "samples.json")
MARGIN_NS = 10**9  # file systems with whole seconds


def settle_specs(specs: Mapping[str, Mapping[str, Any]], results: Path, source: Path) -> dict[str, list[str]]:
    """Date the spec of every finished run: before its manifest if it still is the run that is asked for.

    The spec of a run that is not is dated before what specs are written from, for its rule to write it anew.

    Args:
        specs: Resolved settings by run id.
        results: Folder of the scale's results. Where it cannot be written, nothing is settled, and what differs is
            found all the same.
        source: File or folder that the rule of specs takes as its input where a run is stale.

    Returns:
        What differs, in words, by run id; only runs that will be trained again.
    """
    stale, writable = {}, True
    for run_id, settings in specs.items():
        run = results / "train" / run_id
        if not (run / "run.json").is_file():
            continue
        differences = _differences(run / "run.json", settings)
        if differences:
            stale[run_id] = differences
        latest = _youngest_spec(run, source if differences else None)
        try:
            if writable:
                _date_spec(results / "specs" / f"{run_id}.json", spec_content(settings), latest)
        except OSError:  # another's folder, one that is mounted to be read only, a full disk
            writable = False
    return stale


def settle_samples(suites: Mapping[str, Sequence[str]], results: Path) -> None:
    """Date samples behind the run that they were drawn from, and samples of other weights before it.

    A run that was copied after its samples has the younger file, and yet nothing is to be sampled again.

    Args:
        suites: Suites by run id.
        results: Folder of the scale's results. Where it cannot be written, nothing is settled.
    """
    for run_id, names in suites.items():
        manifest = results / "train" / run_id / "run.json"
        for suite in names:
            folder = results / "evaluate" / run_id / suite
            files = [folder / name for name in SAMPLED]
            if not manifest.is_file() or not all(path.is_file() for path in files):
                continue
            try:
                drawn_from, trained = read_json(folder / "samples.json")["weights"], read_json(manifest)["sha256"]
            except (InputError, KeyError, TypeError):
                continue  # nothing is known of them: their times decide
            try:
                _date_samples(files, manifest.stat().st_mtime_ns, fresh=drawn_from == trained)
            except OSError:  # another's folder, or one that is mounted to be read only
                return


def was_drawn(record: str | Path, asked: Mapping[str, Any], manifest: str | Path | None = None) -> bool:
    """Whether samples were drawn as they would be today.

    Args:
        record: What they were drawn from, ``samples.json``.
        asked: Recipe version and, by benchmark, sampling settings of today.
        manifest: ``run.json`` of their run; ``None`` for a base.
    """
    try:
        drawn = read_json(record)
        weights = None if manifest is None else read_json(manifest)["sha256"]
        return bool(drawn["asked"] == dict(asked) and drawn.get("weights") == weights)
    except (InputError, OSError, KeyError, TypeError, AttributeError):
        return False


def _date_samples(files: Sequence[Path], trained_ns: int, fresh: bool) -> None:
    """Move the times of samples to the right side of their run's manifest, where they are not."""
    for path in files:
        drawn_ns = path.stat().st_mtime_ns
        if fresh and drawn_ns < trained_ns:
            os.utime(path, ns=(trained_ns, trained_ns))
        elif not fresh and drawn_ns >= trained_ns:
            os.utime(path, ns=(trained_ns - MARGIN_NS, trained_ns - MARGIN_NS))


def _differences(manifest: Path, settings: Mapping[str, Any]) -> list[str]:
    try:
        recorded = read_json(manifest)["settings"]
        return find_differences(recorded, deciding_settings(settings))
    except (InputError, KeyError, TypeError, AttributeError):
        return ["its manifest cannot be read"]


def _youngest_spec(run: Path, source: Path | None) -> int:
    """The latest time (ns) that a spec may have: before the run's outputs, or before the file it is written from."""
    younger = [source] if source else [output for name in OUTPUTS if (output := run / name).is_file()]
    return min(path.stat().st_mtime_ns for path in younger) - MARGIN_NS


def _date_spec(path: Path, content: Mapping[str, Any], latest_ns: int) -> None:
    """Write a spec where it says something else, and move its time where it is too late."""
    if not path.is_file() or _unreadable_or_other(path, content):
        write_json(dict(content), path)
    if path.stat().st_mtime_ns > latest_ns:
        os.utime(path, ns=(latest_ns, latest_ns))


def _unreadable_or_other(path: Path, content: Mapping[str, Any]) -> bool:
    try:
        return bool(read_json(path) != dict(content))
    except InputError:
        return True


def stale_lines(stale: Mapping[str, list[str]]) -> list[str]:
    """One line for each stale run, for the terminal."""
    return [f"stale: {run_id} was trained with {'; '.join(found)}" for run_id, found in sorted(stale.items())]
