"""Printed numbers beside which ours stand: ``reported/<table>.csv``, one line per row, exactly as printed."""

from collections.abc import Collection, Sequence
from pathlib import Path

from rlvr.core.csvfile import read_csv
from rlvr.core.errors import InputError
from rlvr.plan.outputs import Output
from rlvr.plan.printed import parse_printed
from rlvr.plan.table_kinds import CRITERIA


def read_reported(path: Path, words: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """Printed numbers of a table, exactly as printed without the percent sign, by row and column.

    Args:
        path: CSV with a column ``row``.
        words: Columns of words, not numbers.

    Raises:
        InputError: Names line and column of a text that is not a number.
    """
    found: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    for number, line in read_csv(path, ("row",)):
        row = line.pop("row")
        if row in seen:
            raise InputError(f"{path}, line {number}", f"row '{row}' appears twice.", "Remove one of the lines.")
        seen.add(row)
        for column, text in line.items():
            if text and column not in words:
                parse_printed(text, f"{path}, line {number}, column '{column}'")
            if text:
                found.setdefault(row, {})[column] = text
    return found


def check_reported(outputs: Sequence[Output], path: Path, where: str) -> None:
    """Check that every printed number of a file stands beside a cell of one of the outputs that show the file.

    Raises:
        InputError: Names the row and the column of a number that stands beside none.
    """
    places = {(row.key, column.printed) for output in outputs for row, column in output.cells()}
    for output in outputs:
        criteria = output.plot.get("criteria", ()) if output.kind == CRITERIA else ()
        places |= {(row.key, each["key"]) for row in output.rows for each in criteria}
    reported = outputs[0].reported
    stray = sorted({(row, column) for row, texts in reported.items() for column in texts} - places)
    if stray:
        raise InputError(path, f"row '{stray[0][0]}', column '{stray[0][1]}' has no cell.", f"See {where}.")
