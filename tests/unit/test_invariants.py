"""Invariants of our own results: a sound study passes, each broken row is found by its invariant alone."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rlvr.core.errors import InputError
from rlvr.core.io import write_json, write_table
from rlvr.report.invariant_files import ResultFiles, check_results_file, read_results
from rlvr.report.invariants import INVARIANTS, PERTURBATIONS, Protocol, find_breaches, invariants_table
from rlvr.tables import DIAGNOSTICS, METRICS, SCORES, SPECTRA

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = Protocol({"hard": 4}, {"hard": 256}, {"a": 2, "b": 2}, max_unparsed_share=0.5, max_timed_out_share=0.05)
RUNS = ("a", "b")


def score(run_id: str) -> dict[str, Any]:
    return {
        "run_id": run_id, "benchmark": "hard", "statistic": "avg_at_k", "k": 4, "n_problems": 256, "value": 0.5,
        "low": 0.4, "high": 0.6, "wrong_share": 0.25, "unparsed_share": 0.2, "timed_out_share": 0.05,
        "truncated_share": 0.0, "mean_completion_tokens": 10.0, "lost_share": 0.0,
    }  # fmt: skip


def step(run_id: str, number: int) -> dict[str, Any]:
    numbers = {name: 0.5 for name, column in METRICS.columns.items() if str(column.dtype) == "float64"}
    return {**numbers, "run_id": run_id, "step": number, "kl": float("nan")}


def spectrum(run_id: str, quantity: str, value: float) -> dict[str, Any]:
    return {
        "run_id": run_id, "module": "layers.0.q_proj", "layer": 0, "projection": "q_proj", "rows": 8, "cols": 4,
        "quantity": quantity, "value": value, "std_error": 0.0, "method": "exact",
    }  # fmt: skip


def diagnostic(quantity: str, value: float = 1.0) -> dict[str, Any]:
    found = spectrum("a", quantity, value) | {"index": 0}
    return {name: number for name, number in found.items() if name not in ("std_error", "method")}


def cell(row: str, **other: Any) -> dict[str, Any]:
    return {
        "output": "table1", "row": row, "label": row, "column": "x", "unit": "%", "decimals": 1, "value": 50.0,
        "low": 40.0, "high": 60.0, "runs": row, **other,
    }  # fmt: skip


def manifest(run_id: str) -> dict[str, Any]:
    """Run a has an adapter, run b trained all weights."""
    hashes = {"base_before": "1", "base_after": "1", "adapter_before": "2", "adapter_after": "3"}
    full = {"base_before": "1", "base_after": "4", "adapter_before": None, "adapter_after": None}
    return {
        "run_id": run_id, "folder": run_id, "status": "finished", "steps": 2, "trainable_parameters": 100,
        "wall_time_s": 3.5, "moved_share": None if run_id == "a" else 0.02, "rollout_weights": None,
        **(hashes if run_id == "a" else full),
    }  # fmt: skip


def sound() -> dict[str, pd.DataFrame]:
    """Two runs with nothing wrong."""
    norms = [spectrum(run_id, "frobenius_norm", 0.1) for run_id in RUNS]
    ranks = [spectrum(run_id, "effective_rank", 4.0) for run_id in RUNS]
    shares = [spectrum(run_id, "attained_share", 1.0) for run_id in RUNS]
    tables = {
        "scores": pd.DataFrame([score(run_id) for run_id in RUNS]),
        "cells": pd.DataFrame([*map(cell, RUNS), cell("c", value=None, low=None, high=None, runs="")]),
        "manifests": pd.DataFrame([manifest(run_id) for run_id in RUNS]),
        "metrics": pd.DataFrame([step(run_id, number) for run_id in RUNS for number in (1, 2)]),
        "spectra": pd.DataFrame([*norms, *ranks, *shares]),
        "diagnostics": pd.DataFrame([diagnostic("mode_share", 3.0), *map(diagnostic, PERTURBATIONS)]),
    }
    return {kind: table.assign(file=f"{kind}.file") for kind, table in tables.items()}


def test_a_sound_study_breaks_nothing() -> None:
    assert find_breaches(sound(), PROTOCOL) == []
    assert find_breaches({}, PROTOCOL) == []  # nothing has been run yet


# Of each invariant: the row, the column and the value that break it.
BROKEN = {
    "score-is-a-share": [("scores", 0, "value", 0.7), ("scores", 0, "low", float("nan")), ("scores", 1, "high", 1.2)],
    "verdicts-add-up": [("scores", 0, "wrong_share", 0.3)],
    "samples-as-the-protocol-says": [("scores", 1, "k", 3)],
    "problems-as-the-protocol-says": [("scores", 1, "n_problems", 255)],
    "grader-keeps-up": [("scores", 0, "timed_out_share", 0.06)],
    "cell-has-a-number": [("cells", 0, "value", float("nan"))],
    "interval-holds-its-number": [("cells", 1, "low", 51.0), ("cells", 1, "high", float("nan"))],
    "run-is-finished": [
        ("manifests", 0, "status", "running"),
        ("manifests", 1, "folder", "c"),
        ("manifests", 1, "trainable_parameters", 0),
        ("manifests", 0, "wall_time_s", float("nan")),
    ],
    "base-stays-as-it-was": [("manifests", 0, "base_after", "9")],
    "weights-moved": [("manifests", 0, "adapter_after", "2"), ("manifests", 1, "moved_share", 0.0)],
    "every-step-is-logged": [("metrics", 1, "step", 3)],
    "reward-is-logged": [("metrics", 2, "reward", float("nan")), ("metrics", 3, "accuracy", 1.5)],
    "gradient-is-finite": [("metrics", 0, "grad_norm", float("inf")), ("metrics", 0, "learning_rate", float("nan"))],
    "spectrum-is-a-number": [("spectra", 2, "value", float("nan"))],
    "effective-rank-within-its-bound": [("spectra", 2, "value", 4.1), ("spectra", 4, "value", 1.01)],
    "update-is-not-zero": [("spectra", 1, "value", 0.0)],
    "perturbation-within-its-bound": [("diagnostics", 1, "value", 1.01), ("diagnostics", 2, "value", float("nan"))],
}
ALSO = {  # invariants that a change breaks beside its own
    "score-is-a-share": {"verdicts-add-up"},
    "grader-keeps-up": {"verdicts-add-up"},
    "cell-has-a-number": {"interval-holds-its-number"},
}


@pytest.mark.parametrize(
    ("name", "change"), [(name, change) for name, changes in BROKEN.items() for change in changes], ids=str
)
def test_each_broken_row_is_found(name: str, change: tuple[str, int, str, Any]) -> None:
    kind, row, column, value = change
    tables = sound()
    tables[kind] = tables[kind].astype({column: object})
    tables[kind].loc[row, column] = value
    breaches = find_breaches(tables, PROTOCOL)
    found = {breach.invariant for breach in breaches}
    assert name in found and found - {name} <= ALSO.get(name, set())
    assert all(breach.file == f"{kind}.file" for breach in breaches)


def test_a_base_into_which_rollouts_are_merged_may_move() -> None:
    tables = sound()
    tables["manifests"].loc[0, ["base_after", "rollout_weights"]] = ["9", "in_place"]
    assert not find_breaches(tables, PROTOCOL)
    tables["manifests"].loc[0, "rollout_weights"] = "exact"
    assert {breach.invariant for breach in find_breaches(tables, PROTOCOL)} == {"base-stays-as-it-was"}


def test_one_unreadable_run_is_a_finding_and_all_are_a_fault() -> None:
    tables = sound()
    noise = {"unparsed_share": 0.75, "wrong_share": 0.0, "value": 0.2, "low": 0.1, "high": 0.3}
    tables["scores"] = tables["scores"].assign(
        **{name: [value, tables["scores"][name][1]] for name, value in noise.items()}
    )
    assert find_breaches(tables, PROTOCOL) == []
    tables["scores"] = tables["scores"].assign(**noise)
    assert {breach.invariant for breach in find_breaches(tables, PROTOCOL)} == {"answers-can-be-read"}


def test_every_invariant_is_broken_by_some_test_and_documented() -> None:
    assert {invariant.name for invariant in INVARIANTS} == {*BROKEN, "answers-can-be-read"}
    assert invariants_table() in (ROOT / "docs/claims.md").read_text()


def write_results(folder: Path) -> ResultFiles:
    tables = sound()
    for kind, schema in (("scores", SCORES), ("metrics", METRICS), ("spectra", SPECTRA), ("diagnostics", DIAGNOSTICS)):
        write_table(tables[kind].drop(columns="file"), folder / f"{kind}.parquet", schema)
    manifests = []
    for run_id in RUNS:
        facts = manifest(run_id)
        hashes = {name: facts.pop(name) for name in list(facts) if "_before" in name or "_after" in name}
        (folder / run_id).mkdir(exist_ok=True)
        write_json({**facts, "sha256": hashes}, folder / run_id / "run.json")
        manifests.append(str(folder / run_id / "run.json"))
    write_json({"recipe": {"dataset": "hard"}, "splits": {"eval": {"problems": 256}}}, folder / "card.json")
    single = {kind: [str(folder / f"{kind}.parquet")] for kind in ("scores", "metrics", "spectra")}
    return ResultFiles(manifests=manifests, cards=[str(folder / "card.json")], **single)


def test_files_of_a_sound_study(tmp_path: Path) -> None:
    lines: list[str] = []
    check_results_file(write_results(tmp_path), Protocol({"hard": 4}), lines.append, str(tmp_path / "checked.json"))
    counted = json.loads((tmp_path / "checked.json").read_text())
    assert counted["score-is-a-share"] == 2 and counted["cell-has-a-number"] == 0 and lines == []


def test_a_broken_file_is_named_with_row_and_invariant(tmp_path: Path) -> None:
    files, lines = write_results(tmp_path), []
    write_json({**json.loads((tmp_path / "b/run.json").read_text()), "moved_share": 0.0}, tmp_path / "b/run.json")
    with pytest.raises(InputError, match=r"invariant 'weights-moved' .*b/run.json: run_id b, moved_share 0") as error:
        check_results_file(files, Protocol({"hard": 4}), lines.append, str(tmp_path / "checked.json"))
    assert error.value.where.endswith("b/run.json") and len(lines) == 1
    assert not (tmp_path / "checked.json").exists()


def test_many_broken_rows_are_counted(tmp_path: Path) -> None:
    files = write_results(tmp_path)
    frames = [pd.DataFrame([{**score("a"), "benchmark": f"b{place}"} for place in range(12)])]
    write_table(pd.concat(frames), tmp_path / "scores.parquet", SCORES)
    with pytest.raises(InputError, match="and 14 more, see the log"):  # k and the problems of 12 unknown benchmarks
        check_results_file(files, Protocol({"hard": 4}), print, str(tmp_path / "checked.json"))


def test_nothing_finished_is_nothing_broken(tmp_path: Path) -> None:
    tables = read_results(ResultFiles())
    assert all(not len(table) for table in tables.values())
    check_results_file(ResultFiles(), Protocol(), print, str(tmp_path / "checked.json"))
    assert set(json.loads((tmp_path / "checked.json").read_text()).values()) == {0}
