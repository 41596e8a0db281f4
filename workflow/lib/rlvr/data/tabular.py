"""Files of rows to one Parquet file: only the columns that a reader needs, only the rows that its rules keep.

Rules are judged on their own columns first, so that a release of gigabytes (three long solutions per problem, a hundred
copies of each) costs little more than what stays. Row numbers of the release travel along, for ids and messages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlvr.core.errors import InputError
from rlvr.data.readers import Reader
from rlvr.data.records import json_text, read_records, records_table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 8192
ROW_NUMBER = "row number"  # column of the collected table: where a row stood in the release, from 1


@dataclass(frozen=True)
class Collected:
    """Counts of a collection of raw rows: rows of every file, rows before and after each row rule, rows kept."""

    file_rows: tuple[int, ...]
    rules: tuple[dict[str, Any], ...]
    kept: int

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(self.file_rows)


@dataclass(frozen=True)
class ParquetRows:
    """A Parquet file, read in batches."""

    path: Path
    file: "pq.ParquetFile"

    @property
    def schema(self) -> "pa.Schema":
        """Schema of the file."""
        return self.file.schema_arrow

    @property
    def rows(self) -> int:
        """Rows that the file states."""
        return int(self.file.metadata.num_rows)

    def batches(self, columns: Sequence[str], keep: np.ndarray | None) -> Iterator["pa.Table"]:
        """Selected columns of the rows to keep (all without a mask); row groups without such rows are not read."""
        import pyarrow as pa

        start = 0
        for group in range(self.file.num_row_groups):
            stop = start + self.file.metadata.row_group(group).num_rows
            if keep is None or keep[start:stop].any():
                for batch in self.file.iter_batches(BATCH_ROWS, row_groups=[group], columns=list(columns)):
                    batch.validate(full=True)  # text that is not UTF-8, for one
                    part = slice(start, start := start + batch.num_rows)
                    table = pa.Table.from_batches([batch])
                    yield table if keep is None else table.filter(pa.array(keep[part]))
            start = stop


@dataclass(frozen=True)
class TableRows:
    """Rows that are in memory already."""

    table: "pa.Table"

    @property
    def schema(self) -> "pa.Schema":
        """Schema of the table."""
        return self.table.schema

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return int(self.table.num_rows)

    def batches(self, columns: Sequence[str], keep: np.ndarray | None) -> Iterator["pa.Table"]:
        """The rows to keep, with all columns; children of structs are picked later."""
        import pyarrow as pa

        yield self.table if keep is None else self.table.filter(pa.array(keep))


Rows = ParquetRows | TableRows


def open_rows(path: Path, reader: Reader) -> Rows:
    """Open a Parquet, JSON Lines or JSON (list of objects) file.

    Raises:
        InputError: If the file is damaged, not UTF-8, not JSON (names the line), or mixes types in a column that the
            reader does not declare as JSON (names column and row).
    """
    if path.suffix != ".parquet":
        return TableRows(records_table(read_records(path), path, reader.json_columns))
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return ParquetRows(path, pq.ParquetFile(path))
    except (pa.ArrowException, OSError) as error:
        raise _unsound(path, error) from error


def collect_rows(files: Sequence[tuple[str, Rows]], reader: Reader, target: Path, where: str) -> Collected:
    """Write what a reader needs of all files, one after another, to a Parquet file.

    Args:
        files: Name for messages and rows of each file, in order.
        reader: Declares columns and row rules.
        target: Parquet file to write: the reader's columns (children of structs as ``parent.child``) and
            ``ROW_NUMBER``.
        where: The source, for messages that concern no single file.

    Raises:
        InputError: For a missing column, a damaged file, columns whose types differ between files, or no rows.
    """
    for name, rows in files:
        if not rows.rows:
            raise InputError(name, "holds no rows.", "Delete it and fetch it again.")
        reader.require_columns(_known(rows), name)
    keeps, rules = _apply_rules(files, reader)
    kept = _write_tables(_tables(files, reader, keeps), target, where)
    return Collected(tuple(rows.rows for _, rows in files), tuple(rules), kept)


def read_raw(path: str | Path) -> "pd.DataFrame":
    """Collected rows as a frame; whole numbers beside missing ones stay whole, which pandas by itself makes floats."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    def whole(kind: pa.DataType) -> object:
        return pd.Int64Dtype() if pa.types.is_integer(kind) and kind != pa.uint64() else None

    table = pq.read_table(path)
    missing = [name for name in table.column_names if table[name].null_count]
    frame = table.drop_columns(missing).to_pandas()
    return frame.join(table.select(missing).to_pandas(types_mapper=whole))[table.column_names]


def _apply_rules(
    files: Sequence[tuple[str, Rows]], reader: Reader
) -> tuple[list[np.ndarray | None], list[dict[str, Any]]]:
    """A mask for each file, and what each rule did to all files together."""
    if not reader.rules:
        return [None] * len(files), []
    import pyarrow as pa

    names = list(dict.fromkeys(rule.column for rule in reader.rules))
    seen = pa.concat_tables([_project(table, names, ()) for table in _read_all(files, names)])
    keep, counts = np.arange(seen.num_rows), []
    for rule in reader.rules:
        passed = keep[rule.passes(seen[rule.column].take(pa.array(keep)))]
        counts.append({"filter": rule.name, "before": len(keep), "after": len(passed)})
        keep = passed
    mask = np.zeros(seen.num_rows, dtype=bool)
    mask[keep] = True
    return list(np.split(mask, np.cumsum([rows.rows for _, rows in files])[:-1])), counts


def _read_all(files: Sequence[tuple[str, Rows]], columns: Sequence[str]) -> Iterator["pa.Table"]:
    for name, rows in files:
        yield from _batches(name, rows, columns, None)


def _tables(
    files: Sequence[tuple[str, Rows]], reader: Reader, keeps: Sequence[np.ndarray | None]
) -> Iterator[tuple[str, "pa.Table"]]:
    """The rows to keep in the reader's columns, numbered, with the name of their file."""
    import pyarrow as pa

    offset = 1
    for (name, rows), keep in zip(files, keeps, strict=True):
        numbers = np.arange(rows.rows) if keep is None else np.flatnonzero(keep)
        for table in _batches(name, rows, [column for column in reader.columns if column in _known(rows)], keep):
            here, numbers = np.split(numbers, [table.num_rows])
            projected = _project(table, reader.columns, reader.json_columns)
            yield name, projected.append_column(ROW_NUMBER, pa.array(here + offset))
        offset += rows.rows


def _batches(name: str, rows: Rows, columns: Sequence[str], keep: np.ndarray | None) -> Iterator["pa.Table"]:
    import pyarrow as pa

    try:
        yield from rows.batches(columns, keep)
    except (pa.ArrowException, OSError) as error:
        raise _unsound(name, error) from error


def _unsound(path: str | Path, error: Exception) -> InputError:
    return InputError(path, f"not a sound Parquet file ({error}).", "Delete it and fetch it again.")


def _known(rows: Rows) -> list[str]:
    return list(dict.fromkeys([*rows.schema.names, *_paths(rows.schema)]))


def _paths(schema: "pa.Schema") -> list[str]:
    """Names of all columns, children of structs as ``parent.child``."""
    import pyarrow as pa

    def walk(prefix: str, part: "pa.Field") -> Iterator[str]:
        name = f"{prefix}{part.name}"
        if pa.types.is_struct(part.type):
            for child in part.type.fields:
                yield from walk(f"{name}.", child)
        else:
            yield name

    return [path for part in schema for path in walk("", part)]


def _project(table: "pa.Table", columns: Sequence[str], json_columns: Sequence[str]) -> "pa.Table":
    """The named columns, children of structs lifted to the top."""
    import pyarrow as pa

    return pa.table({name: _as_text(table, name) if name in json_columns else _pick(table, name) for name in columns})


def _pick(table: "pa.Table", name: str) -> "pa.ChunkedArray":
    import pyarrow.compute as pc

    if name in table.column_names:
        return table[name]
    parent = next(column for column in table.column_names if name.startswith(f"{column}."))
    return pc.struct_field(table[parent], _steps(table.schema.field(parent), name.removeprefix(f"{parent}.")))


def _steps(part: "pa.Field", path: str) -> list[str]:
    """Names of the nested children along a path; names may hold dots themselves."""
    child = next(child for child in part.type.fields if path == child.name or path.startswith(f"{child.name}."))
    return [child.name] if path == child.name else [child.name, *_steps(child, path.removeprefix(f"{child.name}."))]


def _as_text(table: "pa.Table", name: str) -> "pa.Array | pa.ChunkedArray":
    """A column as text: what is not text becomes JSON, a column that is not there is missing everywhere."""
    import pyarrow as pa

    if name not in table.column_names:
        return pa.nulls(table.num_rows, pa.string())
    if pa.types.is_string(table.schema.field(name).type):
        return table[name]
    return pa.array([json_text(value) for value in table[name].to_pylist()], pa.string())


def _write_tables(tables: Iterator[tuple[str, "pa.Table"]], path: Path, where: str) -> int:
    """Write tables of one schema, and what to call each, to a Parquet file; returns the number of rows."""
    import pyarrow.parquet as pq

    rows, writer = 0, None
    try:
        for name, table in tables:
            writer = writer or pq.ParquetWriter(path, table.schema, use_dictionary=False)
            writer.write_table(_conform(table, writer.schema, name))
            rows += table.num_rows
    finally:
        if writer:
            writer.close()
    if not rows:
        raise InputError(where, "holds no rows.", "Fetch it again, or check the row rules of its reader.")
    return rows


def _conform(table: "pa.Table", schema: "pa.Schema", name: str) -> "pa.Table":
    """A table with the types of the first file's columns; text stays text, and numbers numbers."""
    import pyarrow as pa

    remedy = "Fetch it again, or name the files of one split."
    for part, expected in zip(table.schema, schema, strict=True):
        if _is_text(part.type) != _is_text(expected.type) and not pa.types.is_null(part.type):
            problem = f"column '{part.name}' holds {part.type}, {expected.type} in the file before it."
            raise InputError(name, problem, remedy)
    try:
        return table.cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise InputError(name, f"has columns of other types than the file before it ({error}).", remedy) from error


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
