"""The table of what fits: memory of one card for every run of the grids at real size."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rlvr.core.csvfile import csv_text
from rlvr.core.escaping import markdown_table
from rlvr.core.io import atomic_path
from rlvr.plan.memory import memory_row
from rlvr.plan.settings import TrainSettings
from rlvr.plan.shapes import shape_of


def memory_rows(
    rows: Iterable[Mapping[str, Any]],
    configs: Mapping[str, Mapping[str, Any]],
    methods: Mapping[str, Any],
    card_gib: float,
) -> list[dict[str, Any]]:
    """One row per run, runs that differ in nothing that costs memory together.

    Args:
        rows: ``plan.real_size.real_size_rows``; those of printed counts are left out.
        configs: Configurations of the bases by name.
        methods: The registry of methods.
        card_gib: Memory of a card.

    Returns:
        Model, runs (how many), method and configuration of the first one, and ``memory.memory_row`` in GiB.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        if "run_id" not in row:
            continue
        settings = TrainSettings.from_json(row["settings"], row["run_id"])
        held = memory_row(shape_of(configs[row["model"]]), settings, methods[settings.method], card_gib)
        key = (row["model"], settings.method, *held.values())
        first = {"model": row["model"], "runs": 0, "method": settings.method, "for example": row["run_id"], **held}
        found.setdefault(key, first)["runs"] += 1
    return list(found.values())


def write_memory(
    rows: Iterable[Mapping[str, Any]],
    config_paths: Iterable[str | Path],
    methods: Mapping[str, Any],
    card_gib: float,
    stem: str,
) -> None:
    """Write the table as ``<stem>.csv`` and ``<stem>.md``.

    Args:
        rows: See :func:`memory_rows`.
        config_paths: ``data/configs/*.json``.
        methods: The registry of methods.
        card_gib: Memory of a card.
        stem: Path without suffix.
    """
    import pandas as pd

    configs = {Path(path).stem: json.loads(Path(path).read_text(encoding="utf-8")) for path in config_paths}
    table = pd.DataFrame(memory_rows(rows, configs, methods, card_gib))
    for suffix, text in (("csv", csv_text(table)), ("md", markdown_table(table) + "\n")):
        with atomic_path(f"{stem}.{suffix}") as temporary:
            temporary.write_text(text, encoding="utf-8")
