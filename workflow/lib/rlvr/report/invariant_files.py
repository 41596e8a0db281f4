"""File shell of the invariants: read every result of a study, and stop with the names of what is broken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table, write_json
from rlvr.report.files import read_cells
from rlvr.report.invariants import FILE, INVARIANTS, PERTURBATIONS, Breach, Protocol, find_breaches

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

SHOWN = 10  # broken rows in a message; the log has all
HASHES = ("base_before", "base_after", "adapter_before", "adapter_after")


@dataclass(frozen=True)
class ResultFiles:
    """Every result that a study's paper is made from.

    Attributes:
        cells: CSV of the outputs that are made of cells.
        scores: ``tables.SCORES`` of runs and untrained bases.
        manifests: ``run.json`` of runs.
        metrics: ``tables.METRICS`` of runs.
        spectra: ``tables.SPECTRA`` of runs.
        diagnostics: ``tables.DIAGNOSTICS`` of runs and of pairs of checkpoints.
        cards: Data cards of the benchmarks.
    """

    cells: Sequence[str] = field(default_factory=tuple)
    scores: Sequence[str] = field(default_factory=tuple)
    manifests: Sequence[str] = field(default_factory=tuple)
    metrics: Sequence[str] = field(default_factory=tuple)
    spectra: Sequence[str] = field(default_factory=tuple)
    diagnostics: Sequence[str] = field(default_factory=tuple)
    cards: Sequence[str] = field(default_factory=tuple)


def check_results_file(files: ResultFiles, protocol: Protocol, log: Callable[[str], None], checked_path: str) -> None:
    """Hold all results of a study against the invariants, and write down how many rows were looked at.

    Args:
        files: The results.
        protocol: k by benchmark and the limits; numbers of problems and steps are read from cards and manifests.
        log: Takes one line for every broken row.
        checked_path: JSON: rows by invariant.

    Raises:
        InputError: Names every broken invariant with file and row, up to ten of them.
    """
    tables = read_results(files)
    steps = {row["run_id"]: row["steps"] for row in tables["manifests"].to_dict("records")}
    breaches = find_breaches(tables, replace(protocol, problems=held_out(files.cards), steps=steps))
    for breach in breaches:
        log(breach_text(breach))
    if breaches:
        told = "; ".join(breach_text(breach) for breach in breaches[:SHOWN])
        more = f"; and {len(breaches) - SHOWN} more, see the log" if len(breaches) > SHOWN else ""
        remedy = "Find out why before anything is printed: docs/claims.md says what each invariant means."
        raise InputError(breaches[0].file, f"{told}{more}.", remedy)
    write_json({each.name: len(tables[each.kind]) for each in INVARIANTS}, checked_path)


def breach_text(breach: Breach) -> str:
    """One broken row: ``invariant 'score-is-a-share' (0 <= ...) is broken in FILE: run_id ..., value 1.2``."""
    return f"invariant '{breach.invariant}' ({breach.meaning}) is broken in {breach.file}: {breach.row}"


def read_results(files: ResultFiles) -> dict[str, pd.DataFrame]:
    """All rows by kind, each with the file that it comes from."""
    from rlvr.tables import DIAGNOSTICS, METRICS, SCORES, SPECTRA

    def bounds_of(path: str) -> pd.DataFrame:
        table = read_table(path, DIAGNOSTICS)  # most of its rows are points of curves, of which nothing is asked
        return table[table["quantity"].isin(PERTURBATIONS)]

    return {
        "cells": _together(files.cells, lambda path: read_cells([path])),
        "scores": _together(files.scores, _reader(SCORES)),
        "manifests": _together(files.manifests, lambda path: pd.DataFrame([manifest_facts(path)])),
        "metrics": _together(files.metrics, _reader(METRICS)),
        "spectra": _together(files.spectra, _reader(SPECTRA)),
        "diagnostics": _together(files.diagnostics, bounds_of),
    }


def manifest_facts(path: str) -> dict[str, Any]:
    """The part of a run's ``run.json`` that invariants look at; a missing entry stays empty, which breaks one."""
    run: Mapping[str, Any] = read_json(path)
    known = ("run_id", "status", "steps", "trainable_parameters", "wall_time_s", "moved_share")
    hashes = {name: run.get("sha256", {}).get(name) for name in HASHES}
    asked = {"rollout_weights": run.get("settings", {}).get("rollout_weights")}
    return {**{name: run.get(name) for name in known}, **hashes, **asked, "folder": Path(path).parent.name}


def held_out(cards: Sequence[str]) -> dict[str, int]:
    """Number of held-out problems by data set."""
    read = [read_json(path) for path in cards]
    return {card["recipe"]["dataset"]: card["splits"]["eval"]["problems"] for card in read}


def _reader(schema: "DataFrameSchema") -> Callable[[str], pd.DataFrame]:
    return lambda path: read_table(path, schema)


def _together(paths: Sequence[str], read: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    frames = [read(path).assign(**{FILE: path}) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["run_id", "steps", FILE])
