"""JSON files as tables: every object a row, every column of one type."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa


def json_text(value: Any) -> str | None:
    """Text as it is, any other value as JSON, nothing as nothing."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_records(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines or JSON file.

    Raises:
        InputError: For text that is not UTF-8 or not JSON (names the line), or values that are no objects.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, remedy = content.count(b"\n", 0, error.start) + 1, "Delete the file and fetch it again."
        raise InputError(f"{path}, line {line}", f"not UTF-8 text ({error}).", remedy) from error
    pieces = enumerate(text.split("\n"), start=1) if path.suffix == ".jsonl" else [(1, text)]
    records: list[Any] = []
    for line, piece in pieces:
        if piece.strip():
            try:
                value = json.loads(piece)
                _check_text(piece, value)
            except UnicodeEncodeError as error:
                remedy = "Mend or remove the row in the source."
                raise InputError(f"{path}, line {line}", f"holds half a character ({error}).", remedy) from error
            except (ValueError, RecursionError) as error:  # the latter for brackets without end
                where, remedy = f"{path}, line {line}", "Delete the file and fetch it again."
                raise InputError(where, f"not JSON ({error}).", remedy) from error
            records.extend(value if isinstance(value, list) else [value])
    if not all(isinstance(record, dict) for record in records):
        raise InputError(path, "does not hold one JSON object for each row.", "See the source's page for the file.")
    return records


def _check_text(piece: str, value: Any) -> None:
    """Check that texts of a value are texts: the escape of one half of a pair of surrogates, alone, is none.

    Raises:
        UnicodeEncodeError: If one is not.
    """
    if "\\ud" in piece.lower():
        json.dumps(value, ensure_ascii=False).encode()


def records_table(records: list[dict[str, Any]], path: Path, json_columns: Sequence[str]) -> "pa.Table":
    """Objects as a table; a key that an object lacks is missing there.

    Args:
        records: One object per row.
        path: File they are from, for messages.
        json_columns: Columns in which values of any type are kept, as JSON text.

    Raises:
        InputError: For any other column that mixes types; names the row of the odd value, counted from 1.
    """
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for name in dict.fromkeys(name for record in records for name in record):
        values = [record.get(name) for record in records]
        if name in json_columns:
            values = [value if type(value) is str else json_text(value) for value in values]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowException, OverflowError) as error:
            row, value = _first_odd_value(values)
            raise InputError(
                path, f"column '{name}' mixes types: row {row} holds {value!r}.", f"Expected one type ({error})."
            ) from error
    return pa.table(columns)


def _first_odd_value(values: list[Any]) -> tuple[int, Any]:
    """Row number, from 1, and value of the first value whose type is not the one that most values have."""
    kinds = [float if type(value) is int else type(value) for value in values]
    (common, _), *_ = Counter(kind for kind in kinds if kind is not type(None)).most_common()
    row = next((row for row, kind in enumerate(kinds) if kind not in (common, type(None))), 0)
    return row + 1, values[row]
