"""The paper against itself: printed means, deviations and differences re-derived from the printed numbers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from rlvr.core.io import write_json
from rlvr.plan.outputs import Column, Output, Row, load_outputs
from rlvr.plan.printed import parse_printed
from rlvr.report.cells import LABEL_SEPARATOR
from rlvr.report.files import write_text
from rlvr.stats.derivations import Derivation, Printed, derive_deviation, derive_mean

COLUMNS = ("output", "row", "label", "column", "parts", "printed", "derived", "lowest", "highest", "verdict")


def derive_difference(printed: Printed, parts: Sequence[Printed]) -> Derivation:
    """A printed difference against the two printed numbers."""
    left, right = parts
    bounds = (left.value - right.value, left.low - right.high, left.high - right.low)
    return Derivation(printed, *map(float, bounds))


DERIVATIONS: Mapping[str, Callable[[Printed, Sequence[Printed]], Derivation]] = {
    "mean": derive_mean,
    "std": derive_deviation,
    "difference": derive_difference,
}


def audit_file(outputs_path: str, csv_path: str, json_path: str) -> None:
    """Audit the printed numbers of a study; write one row for each that follows from others.

    Args:
        outputs_path: The study's ``outputs.yaml``, ``reported/`` beside it.
        csv_path: Columns ``COLUMNS``; the verdicts are those of :func:`judge_derivation`.
        json_path: The same for the Typst paper.
    """
    table = audit(load_outputs(outputs_path))
    write_text(table.to_csv(index=False), csv_path)
    write_json(table.to_dict("records"), json_path)


def audit(outputs: Mapping[str, Output]) -> pd.DataFrame:
    """Every printed mean, standard deviation or difference whose parts are printed in the same row."""
    rows = [
        _entry(output, row, column)
        for output in outputs.values()
        for row, column in output.cells()
        if output.printed(row, column) is not None and _printed_parts(output, row, column)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).round(4)


def judge_derivation(derivation: Derivation) -> str:
    """Whether a printed number follows from its parts.

    Returns:
        ``follows`` (the derived number rounds to the printed one), ``within rounding`` (some unrounded parts agree with
        everything that is printed) or ``does not follow``.
    """
    if derivation.matches:
        return "follows"
    return "within rounding" if derivation.possible else "does not follow"


def _entry(output: Output, row: Row, column: Column) -> dict[str, Any]:
    texts = [str(output.printed(row, column)), *_printed_parts(output, row, column)]
    printed, *parts = (Printed.read(parse_printed(text).digits) for text in texts)
    derivation = DERIVATIONS[column.reduce](printed, parts)
    return {
        "output": output.key,
        "row": row.key,
        "label": LABEL_SEPARATOR.join(row.labels),
        "column": column.key,
        "parts": " ".join(texts[1:]),
        "printed": texts[0],
        "derived": derivation.derived,
        "lowest": derivation.low,
        "highest": derivation.high,
        "verdict": judge_derivation(derivation),
    }


def _printed_parts(output: Output, row: Row, column: Column) -> list[str]:
    """Printed texts that a column's number is made from, in the order of its selections; empty if one is missing.

    They stand in the columns of the same statistic that show one of its selections alone.
    """
    if column.reduce not in DERIVATIONS:
        return []
    alone = {other.runs: other for other in output.columns if other.reduce in ("only", "max") and _alike(other, column)}
    texts = [output.printed(row, alone[name,]) if (name,) in alone else None for name in column.runs]
    return [text for text in texts if text is not None] if None not in texts else []


def _alike(left: Column, right: Column) -> bool:
    return (left.statistic, left.benchmark) == (right.statistic, right.benchmark)
