"""The resolved runs of a study as CSV: one row per run, what the paper prints beside what is trained."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rlvr.core.io import atomic_path


def write_resolved(specs: Sequence[Mapping[str, Any]], path: str | Path) -> None:
    """Write one row per spec: every setting, and ``printed_<name>`` for what the paper prints.

    Args:
        specs: Contents of spec files.
        path: CSV file.
    """
    rows = [flat(spec) for spec in specs]
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["run_id"]
    columns.sort(key=lambda name: name != "run_id")  # the id leads
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def flat(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec without nesting."""
    printed = {f"printed_{name}": value for name, value in spec["printed"].items()}
    dims = spec.get("dims")
    settings = {name: value for name, value in spec.items() if name != "printed"}
    return {**settings, "dims": "" if dims is None else "x".join(map(str, dims)), **printed}
