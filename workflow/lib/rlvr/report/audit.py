"""The paper against itself: printed means, deviations and differences re-derived from the printed numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from rlvr.core.io import write_json
from rlvr.plan.outputs import Column, Output, Row
from rlvr.plan.printed import parse_printed
from rlvr.plan.verdict_words import AuditVerdict
from rlvr.report.cells import LABEL_SEPARATOR
from rlvr.report.files import write_text
from rlvr.stats.derivations import Derivation, Printed, derive_deviation, derive_mean

AUDIT_COLUMNS = ("output", "row", "label", "column", "parts", "printed", "derived", "lowest", "highest", "verdict")


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


def audit_file(declarations: Iterable[Mapping[str, Any]], csv_path: str, json_path: str) -> None:
    """Audit the printed numbers of a study; write one row for each that should follow from others.

    Args:
        declarations: The study's outputs with printed numbers, as :meth:`Output.declaration` gives them.
        csv_path: Columns ``AUDIT_COLUMNS``; the verdicts are those of :func:`judge_derivation`.
        json_path: The rows of the CSV as JSON, for the Typst document.
    """
    table = audit(map(Output.read, declarations))
    write_text(table.to_csv(index=False), csv_path)
    write_json(table.to_dict("records"), json_path)


def audit(outputs: Iterable[Output]) -> pd.DataFrame:
    """Every printed mean, standard deviation or difference whose parts are printed in the same row."""
    rows = [
        _entry(output, row, column)
        for output in outputs
        for row, column in output.cells()
        if output.printed(row, column) is not None and _printed_parts(output, row, column)
    ]
    return pd.DataFrame(rows, columns=list(AUDIT_COLUMNS)).round(4)


def judge_derivation(derivation: Derivation) -> AuditVerdict:
    """Whether a printed number follows from its parts.

    Returns:
        ``follows`` (the derived number rounds to the printed one), ``within rounding`` (some unrounded parts agree with
        everything that is printed) or ``does not follow``.
    """
    if derivation.matches:
        return AuditVerdict.FOLLOWS
    return AuditVerdict.WITHIN_ROUNDING if derivation.possible else AuditVerdict.DOES_NOT_FOLLOW


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
    """Printed texts that a column's number is made from, in the order of its parts; empty if one is missing."""
    texts = [output.printed(row, part) for part in derived_from(output.columns, column)]
    return [text for text in texts if text is not None] if None not in texts else []


def derived_from(columns: Sequence[Column], column: Column) -> list[Column]:
    """The columns of the same statistic whose numbers a mean, a deviation or a difference is made from.

    A mean or a deviation over seeds comes from the columns that differ from it in nothing but their one seed, a
    difference from those that show one of its two terms.
    """
    if column.reduce not in DERIVATIONS:
        return []
    alike = [other for other in columns if (other.statistic, other.benchmarks) == (column.statistic, column.benchmarks)]
    if column.reduce == "difference":
        terms = {other.key: other for other in alike if other.reduce in ("only", "max")}
        found = [[other for other in terms.values() if other.conditions == (side,)] for side in column.conditions]
        return [others[0] for others in found] if all(found) else []
    common = _without_seed(column.conditions[0])
    single = [other for other in alike if other.reduce == "only" and isinstance(other.conditions[0].get("seed"), int)]
    return [other for other in single if _without_seed(other.conditions[0]) == common]


def _without_seed(condition: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in condition.items() if name != "seed"}
