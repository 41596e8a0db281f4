"""CSV files that a user writes, read to texts; whatever a spreadsheet does to them is read rightly or named."""

import csv
import io
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.errors import InputError
from rlvr.core.escaping import visible

if TYPE_CHECKING:
    import pandas as pd

OTHER_SEPARATORS = (";", "\t")
SHOWN = 40  # characters of an unreadable cell in a message


def read_csv(path: str | Path, required: Collection[str] = ()) -> list[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with their line numbers; cells are texts, a short row ends in empty ones.

    UTF-8 with or without a byte order mark; lines may end in LF, CRLF or CR.

    Args:
        path: File with a header.
        required: Columns that it must have.

    Raises:
        InputError: For a missing file, another encoding or separator, a column that is missing or stands twice, more
            cells than the header, or a control character (a quote that is not closed, NUL); names line and column.
    """
    header, *lines = _cells(Path(path))
    check_columns(header[1], required, path)
    rows = []
    for number, cells in lines:
        if len(cells) > len(header[1]):
            surplus = cells[len(header[1]) :]
            raise InputError(f"{path}, line {number}", f"has more cells than the header: {surplus}.", SURPLUS)
        cells += [""] * (len(header[1]) - len(cells))
        for column, cell in zip(header[1], cells, strict=True):
            if not cell.isprintable():
                problem = f"column '{column}' holds the control character in {cell[:SHOWN]!r}."
                raise InputError(f"{path}, line {number}", problem, "Remove it; is a quotation mark not closed?")
        rows.append((number, dict(zip(header[1], cells, strict=True))))
    return rows


def csv_text(frame: "pd.DataFrame") -> str:
    r"""A data frame as CSV without its index; control characters and direction marks in texts are written out.

    Readers of CSV disagree about a bare carriage return and about NUL; a line break inside a cell is quoted.
    """
    return str(frame.map(lambda cell: visible(cell) if isinstance(cell, str) else cell).to_csv(index=False))


def records_of(text: str) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and lines of a CSV that ``csv_text`` made, however long its cells are."""
    before = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        return list(reader.fieldnames or ()), list(reader)
    finally:
        csv.field_size_limit(before)


SURPLUS = "Remove the surplus commas, or quote a cell that contains one."


def check_columns(header: list[str], required: Collection[str], path: str | Path) -> None:
    """Check that the needed columns are there, none of them twice.

    Raises:
        InputError: Names the column.
    """
    for column in header:
        if header.count(column) > 1:
            raise InputError(path, f"column '{column}' appears twice.", "Remove one of them.")
    for separator in OTHER_SEPARATORS:
        if len(header) == 1 and separator in header[0]:
            raise InputError(path, f"its cells are separated by {separator!r}.", "Separate them by commas.")
    if missing := [column for column in required if column not in header]:
        raise InputError(path, f"column '{missing[0]}' is missing.", f"Expected: {', '.join(required)}.")


def _cells(path: Path) -> list[tuple[int, list[str]]]:
    """Every line that is not empty, with its number; the header first."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(path, f"is not UTF-8 ({error}).", "Save it as 'CSV UTF-8'.") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror}).", "Supply the file.") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        lines = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}", f"is not CSV ({error}).", "Mend the line.") from error
    if not lines:
        raise InputError(path, "is empty.", "It needs a header at least.")
    return lines
