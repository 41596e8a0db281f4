"""Parameter tables: what the papers print beside what the modules hold, and what each run of the grid would need."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rlvr.core.csvfile import csv_text
from rlvr.core.escaping import markdown_table
from rlvr.core.io import atomic_path, read_json
from rlvr.plan.printed import parse_printed
from rlvr.report.render import escape_tex

COUNT_TOLERANCE = 0.01  # ASSUME: printed multiples of a rounded count (87.2 = 2 x 43.6) are up to a hundredth off
GIB, MIB = 2**30, 2**20


def judge_count(printed: str, unit: str, trainable: int, base: int) -> str:
    """Whether a printed count is the true one.

    Args:
        printed: As printed, e.g. ``43.6M``, ``~8B``, or a percentage without its sign.
        unit: ``parameters`` or ``percent`` (of the base's parameters).
        trainable: Trainable parameters.
        base: Parameters of the base.

    Returns:
        ``agrees`` to the printed digit, ``agrees within 1 %``, or ``differs``.
    """
    number = parse_printed(printed)
    value = trainable if unit == "parameters" else 100 * trainable / base
    if number.says(value):
        return "agrees"
    return "agrees within 1 %" if abs(value - number.value) <= COUNT_TOLERANCE * value else "differs"


def tabulate_printed(counted: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Every printed count with the counted one and a verdict."""
    return pd.DataFrame(
        [
            {
                "study": row["study"],
                "where": row["output"],
                "row": row["label"],
                "model": row["model"],
                "printed": row["printed"] + (" %" if row["unit"] == "percent" else ""),
                "counted": row["trainable_parameters"],
                "share (%)": round(100 * row["trainable_parameters"] / row["base_parameters"], 4),
                "verdict": judge_count(
                    row["printed"], row["unit"], row["trainable_parameters"], row["base_parameters"]
                ),
            }
            for row in counted
            if "printed" in row
        ]
    )


def tabulate_launch(counted: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Table of what each run of the grid trains, saves and holds in memory at real size, in MiB and GiB."""
    return pd.DataFrame(
        [
            {
                "run": row["run_id"],
                "trainable": row["trainable_parameters"],
                "share (%)": round(100 * row["trainable_parameters"] / row["base_parameters"], 4),
                "saved (MiB)": round(row["saved_bytes"] / MIB, 1),
                "optimizer (MiB)": round(row["optimizer_bytes"] / MIB, 1),
                "one GPU (GiB)": round(row["gpu_bytes"] / GIB, 1),
            }
            for row in counted
            if "printed" not in row
        ]
    )


def _latex(frame: pd.DataFrame) -> str:
    safe = frame.map(lambda cell: escape_tex(cell) if isinstance(cell, str) else cell)
    return str(
        safe.set_axis([escape_tex(str(name)) for name in frame], axis="columns").to_latex(index=False, escape=False)
    )


def write_parameters(counts_path: str | Path, stems: Mapping[str, str | Path]) -> None:
    """Write both tables as CSV, Markdown and LaTeX.

    Args:
        counts_path: JSON of ``train.footprint.count_files``.
        stems: Path without suffix of the tables ``printed`` and ``launch``.
    """
    counted = read_json(counts_path)
    tables = {"printed": tabulate_printed(counted), "launch": tabulate_launch(counted)}
    for name, frame in tables.items():
        texts = {
            "csv": csv_text(frame),
            "md": markdown_table(frame) + "\n",
            "tex": _latex(frame),
        }
        for suffix, text in texts.items():
            with atomic_path(f"{stems[name]}.{suffix}") as temporary:
                temporary.write_text(text, encoding="utf-8")
