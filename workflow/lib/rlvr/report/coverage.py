"""What was run of what the grid declares, which cells it fills, and what it cost."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from rlvr.plan.run_texts import NAMED
from rlvr.plan.statistics import HOUR_S
from rlvr.plan.verdict_words import CellVerdict
from rlvr.report.evidence import peak_memory


def run_entries(
    runs: Sequence[Mapping[str, Any]], manifests: Iterable[Mapping[str, Any]], scores: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One entry per row of the grid: what it is, whether it was trained, what it cost and what it scored.

    Args:
        runs: As :func:`rlvr.plan.run_texts.describe_run` gives them.
        manifests: ``run.json`` of the trained ones.
        scores: Texts by run id, benchmark and statistic (``score_numbers``).

    Returns:
        Entries with ``state`` (``trained``, ``not run``, or ``not in this tier`` where it was not asked for), and for a
        trained run ``steps``, ``minutes``, ``memory`` (GiB), ``moved`` (share of the weights that moved, in percent;
        empty where it was not recorded) and ``scores`` (texts by benchmark).
    """
    trained = {manifest["run_id"]: manifest for manifest in manifests}
    entries = []
    for run in runs:
        entry: dict[str, Any] = {name: "" if run[name] is None else str(run[name]) for name in (*NAMED, "setting")}
        manifest = trained.get(run["run_id"])
        entry["state"] = "trained" if manifest else "not run" if run["selected"] else "not in this tier"
        if manifest:
            entry |= _cost_texts(manifest)
            found = scores.get(run["run_id"], {}).items()
            entry["scores"] = {name: _score_text(statistics["avg_at_k"]) for name, statistics in found}
        entries.append(entry)
    return entries


def _cost_texts(manifest: Mapping[str, Any]) -> dict[str, str]:
    moved = manifest.get("moved_share")
    return {
        "steps": str(manifest["steps"]),
        "minutes": f"{manifest['wall_time_s'] / 60:.2f}",
        "memory": f"{peak_memory(manifest):.2f}",
        "moved": "" if moved is None else f"{100 * moved:.2f}",
    }


def _score_text(score: Mapping[str, str]) -> str:
    return f"{score['value']} [{score['low']}, {score['high']}]"


def coverage_groups(runs: Sequence[Mapping[str, Any]], trained: Iterable[str]) -> list[dict[str, str]]:
    """Rows of the grid by model, data set and method: how many there are, how many were trained, with which seeds.

    ``settings`` counts rows that differ in more than their seed; ``missing`` names each that was not trained.
    """
    done = set(trained)
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for run in runs:
        groups.setdefault((run["model"], run["dataset"], run["method"]), []).append(run)
    return [
        {
            "model": model,
            "dataset": dataset,
            "method": method,
            "settings": str(len({_setting(run) for run in members})),
            "declared": str(len(members)),
            "trained": str(sum(run["run_id"] in done for run in members)),
            "seeds": ", ".join(map(str, sorted({run["seed"] for run in members if run["run_id"] in done}))),
            "missing": "; ".join(dict.fromkeys(_missing(run) for run in members if run["run_id"] not in done)),
        }
        for (model, dataset, method), members in groups.items()
    ]


def _setting(run: Mapping[str, Any]) -> str:
    batch = f", batch {run['completions_per_step']}" if run["completions_per_step"] else ""
    return f"{run['setting'] or 'as printed'}{batch}"


def _missing(run: Mapping[str, Any]) -> str:
    return f"{_setting(run)}, seed {run['seed']}"


def tier_counts(runs: Sequence[Mapping[str, Any]], trained: Iterable[str]) -> list[dict[str, str]]:
    """How many runs each tier of the grid declares and how many of them were trained."""
    done = set(trained)
    tiers = dict.fromkeys(run["tier"] for run in runs)
    return [
        {
            "tier": tier,
            "declared": str(sum(run["tier"] == tier for run in runs)),
            "trained": str(sum(run["tier"] == tier and run["run_id"] in done for run in runs)),
        }
        for tier in tiers
    ]


def output_counts(cells: pd.DataFrame) -> list[dict[str, str]]:
    """Of each output made of cells: how many it has, how many a run fills, beside how many a printed number stands."""
    found = []
    for name, part in cells.groupby("output", sort=False):
        filled = part["verdict"] != CellVerdict.NOT_RUN
        found.append(
            {
                "output": str(name),
                "cells": str(len(part)),
                "filled": str(int(filled.sum())),
                "printed": str(int(part["reported"].notna().sum())),
                "compared": str(int((filled & part["reported"].notna()).sum())),
            }
        )
    return found


def compute_groups(manifests: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Trained runs by model and method: number, steps, completions, hours and the largest memory of one process."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for manifest in manifests:
        groups.setdefault((manifest["settings"]["model"], manifest["settings"]["method"]), []).append(manifest)
    return [{"model": model, "method": method, **_cost(members)} for (model, method), members in sorted(groups.items())]


def compute_facts(manifests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the trained runs cost altogether and by group, on which devices and with which versions."""
    versions: dict[str, set[str]] = {}
    for manifest in manifests:
        for name, version in manifest["versions"].items():
            versions.setdefault(name, set()).add(version)
    commits = {str(manifest["repository"]["commit"] or "none") for manifest in manifests}
    return {
        "groups": compute_groups(manifests),
        "total": _cost(manifests),
        "devices": ", ".join(sorted({str(manifest["device"]) for manifest in manifests})),
        "commits": ", ".join(sorted(commits)),
        "versions": [
            {"package": name, "version": ", ".join(sorted(found))} for name, found in sorted(versions.items())
        ],
    }


def _cost(manifests: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    seconds = [manifest["wall_time_s"] for manifest in manifests]
    return {
        "runs": str(len(manifests)),
        "steps": f"{sum(manifest['steps'] for manifest in manifests):,}",
        "completions": f"{sum(manifest['steps'] * manifest['completions_per_step'] for manifest in manifests):,}",
        "hours": f"{math.fsum(seconds) / HOUR_S:.2f}",
        "memory": f"{max(map(peak_memory, manifests), default=0.0):.2f}",
    }
