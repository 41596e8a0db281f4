"""Completions with their golds in a file of anyone: JSON Lines, CSV or Parquet, graded in portions.

Needs no pandas; pyarrow is imported for Parquet only.
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_path
from rlvr.grading.batches import Completion, Resources, grade_all
from rlvr.grading.golds import find_unreadable
from rlvr.grading.reasons import explain
from rlvr.grading.verdicts import NO_META

if TYPE_CHECKING:
    import pyarrow as pa

STDIN = "-"
FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
PORTION = 2000  # rows that are graded together
COMPLETIONS = ("completion", "response", "output", "generated_text", "prediction", "text")
GOLDS = ("gold", "answer", "ground_truth", "target", "reference_answer", "solution")
LONGEST_FIELD = 2**27  # characters of one cell of a CSV file; Python's own limit is 2**17
Numbered = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a file; an empty one is found among the usual names, or has no column.

    Attributes:
        completion: What a model wrote: text, or a conversation whose last message counts.
        gold: The right answer.
        verifier: Column with the kind of the problem, empty where ``kind`` holds for all rows.
        meta: Column with further facts of the problem (JSON, or an object).
        kind: Verifier of rows without a column.
    """

    completion: str = ""
    gold: str = ""
    verifier: str = ""
    meta: str = ""
    kind: str = "math"


@dataclass(frozen=True)
class Graded:
    """A graded row: its number from 1, its fields as read, verdict, answer that was read, stage and reason."""

    number: int
    row: Mapping[str, Any]
    verdict: str
    extracted: str | None
    stage: str
    reason: str

    def record(self) -> dict[str, Any]:
        """The row's fields and what was found, as one record; what was found takes precedence over equal names."""
        found = {"verdict": self.verdict, "extracted": self.extracted, "stage": self.stage, "reason": self.reason}
        return {**self.row, **found}


def format_of(path: str, form: str = "") -> str:
    """The format of a file: as asked for, otherwise by its ending; standard input is JSON Lines unless asked.

    Raises:
        InputError: For an ending that says nothing.
    """
    if form or path == STDIN:
        return form or "jsonl"
    found = FORMATS.get(Path(path).suffix.lower())
    if found is None:
        raise InputError(
            path, "has no ending that names its format.", f"Say --format, or end it in {', '.join(FORMATS)}."
        )
    return found


def read_rows(path: str, form: str = "", stdin: TextIO | None = None) -> Iterator[Numbered]:
    """Rows of a file with their numbers from 1: lines of JSON Lines, records of the other formats.

    Args:
        path: File, or ``-`` for standard input (JSON Lines or CSV).
        form: ``jsonl``, ``csv``, ``parquet`` or empty; see :func:`format_of`.
        stdin: What ``-`` stands for; the process's by default.

    Raises:
        InputError: If the file is not there or cannot be read; names the line.
    """
    kind = format_of(path, form)
    if path != STDIN and not Path(path).is_file():
        raise InputError(path, "no such file.", "Name a file of completions, or - for standard input.")
    if kind == "parquet":
        yield from _parquet_rows(path)
    elif path == STDIN:
        yield from _text_rows(stdin or sys.stdin, kind, "standard input")
    else:
        with Path(path).open(encoding="utf-8", newline="") as file:
            yield from _text_rows(file, kind, path)


def _text_rows(file: TextIO, kind: str, where: str) -> Iterator[Numbered]:
    try:
        if kind == "csv":
            csv.field_size_limit(LONGEST_FIELD)
            yield from enumerate(csv.DictReader(file), 1)
            return
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, _json_row(line, f"{where}, line {number}")
    except UnicodeDecodeError as error:
        raise InputError(where, f"is not UTF-8 ({error.reason}).", "Convert it, for example with iconv.") from error
    except csv.Error as error:
        raise InputError(where, f"is no CSV file ({error}).", "Quote cells that hold quotes or line ends.") from error


def _json_row(line: str, where: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(where, f"is no JSON ({error}).", "Write one object per line.") from error
    if not isinstance(row, dict):
        raise InputError(where, f"holds a {type(row).__name__}.", "Write one object per line.")
    return row


def _parquet_rows(path: str) -> Iterator[Numbered]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path == STDIN:
        raise InputError("standard input", "cannot be read as Parquet.", "Name the file instead of -.")
    try:
        rows = (row for batch in pq.ParquetFile(path).iter_batches(PORTION) for row in batch.to_pylist())
        yield from enumerate(rows, 1)
    except (pa.ArrowException, OSError) as error:
        raise InputError(path, f"is no sound Parquet file ({error}).", "Write it again.") from error


def settle_columns(row: Mapping[str, Any], asked: Columns, where: str) -> Columns:
    """The columns of a file, by its first row; names that were not given are found among the usual ones.

    Raises:
        InputError: Names the column that is not there, and those that are.
    """
    completion = _column(row, asked.completion, COMPLETIONS, "--completion", where)
    gold = _column(row, asked.gold, GOLDS, "--gold", where)
    for name, option in ((asked.verifier, "--verifier-column"), (asked.meta, "--meta")):
        _column(row, name, (name,), option, where)
    verifier = asked.verifier or ("verifier" if "verifier" in row else "")
    meta = asked.meta or ("meta" if verifier and "meta" in row else "")
    return Columns(completion, gold, verifier, meta, asked.kind)


def _column(row: Mapping[str, Any], asked: str, usual: Sequence[str], option: str, where: str) -> str:
    found = [name for name in ((asked,) if asked else usual) if name in row or not name]
    if not found:
        problem = f"has no column '{asked}'." if asked else f"has none of the columns {', '.join(usual)}."
        raise InputError(where, problem, f"Name one with {option}; there are: {', '.join(map(str, row))}.")
    return found[0]


def grade_rows(
    rows: Iterable[Numbered], asked: Columns, resources: Resources, where: str, keep_going: bool = False
) -> Iterator[Graded]:
    """Grade rows in their order, a portion at a time.

    Args:
        rows: As :func:`read_rows` gives them.
        asked: Names of columns.
        resources: Worker processes and the folder of known grades.
        where: The file, for messages.
        keep_going: Whether a gold that cannot be read is reported as the reason of its row (verdict ``no gold``).

    Raises:
        InputError: If there are no rows, a column or cell is missing, nothing grades such problems, or, unless
            ``keep_going``, a gold cannot be read; names the line.
    """
    waiting = iter(rows)
    columns: Columns | None = None
    while portion := list(islice(waiting, PORTION)):
        columns = columns or settle_columns(portion[0][1], asked, where)
        yield from _grade_portion(portion, columns, resources, where, keep_going)
    if columns is None:
        raise InputError(where, "holds no rows.", "Give at least one completion with its gold.")


def _grade_portion(
    portion: Sequence[Numbered], columns: Columns, resources: Resources, where: str, keep_going: bool
) -> Iterator[Graded]:
    asked = [as_completion(row, columns, f"{where}, line {number}") for number, row in portion]
    unread = find_unreadable(*([getattr(one, name) for one in asked] for name in ("gold", "verifier", "meta")))
    for position, reason in unread.items() if not keep_going else ():
        raise InputError(f"{where}, line {portion[position][0]}", reason, "Mend the gold, or say --keep-going.")
    grades = iter(grade_all((one for place, one in enumerate(asked) if place not in unread), resources))
    for place, ((number, row), one) in enumerate(zip(portion, asked, strict=True)):
        if place in unread:
            yield Graded(number, row, "no gold", None, "parse", unread[place])
        else:
            grade = next(grades)
            reason = explain(grade, one.gold, one.verifier)
            yield Graded(number, row, grade.verdict, grade.extracted, grade.stage, reason)


def as_completion(row: Mapping[str, Any], columns: Columns, where: str) -> Completion:
    """A row as the grader takes it.

    Raises:
        InputError: For a cell that is missing or of a type that has no reading; names line and column.
    """
    verifier = str(row.get(columns.verifier) or columns.kind) if columns.verifier else columns.kind
    meta = row.get(columns.meta) if columns.meta else None
    return Completion(
        text=text_of(row.get(columns.completion), f"{where}, column '{columns.completion}'"),
        gold=_gold_of(row.get(columns.gold), f"{where}, column '{columns.gold}'"),
        verifier=verifier,
        meta=NO_META if meta in (None, "") else meta if isinstance(meta, str) else json.dumps(meta),
    )


def text_of(value: Any, where: str) -> str:
    """The text of a completion: a string, or a conversation (a list of messages), whose last message counts.

    Raises:
        InputError: For anything else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and isinstance(value[-1], Mapping):
        content = value[-1].get("content")
        if isinstance(content, str):
            return content
    raise InputError(where, f"holds {_kind(value)}.", "Expected text, or a list of messages with 'content'.")


def _gold_of(value: Any, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    raise InputError(where, f"holds {_kind(value)}.", "Expected the right answer as text or a number.")


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def write_records(records: Sequence[Mapping[str, Any]], path: str) -> None:
    """Write records as JSON Lines, CSV or Parquet, by the ending of the path; whole or not at all.

    Raises:
        InputError: For an ending that names no format.
    """
    kind = format_of(path)
    names = list(dict.fromkeys(name for record in records for name in record))
    with atomic_path(path) as temporary:
        if kind == "parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.table({name: _column_of(records, name) for name in names}), temporary)
            return
        with temporary.open("w", encoding="utf-8", newline="") as file:
            if kind == "csv":
                writer = csv.DictWriter(file, names)
                writer.writeheader()
                writer.writerows({name: _cell(value) for name, value in record.items()} for record in records)
            else:
                file.writelines(json.dumps(record, ensure_ascii=False, default=str) + "\n" for record in records)


def _column_of(records: Sequence[Mapping[str, Any]], name: str) -> "pa.Array":
    """A column for Parquet, which has one type: text where values are of several, what is no text as JSON."""
    import pyarrow as pa

    values = [record.get(name) for record in records]
    try:
        return pa.array(values)
    except pa.ArrowException:
        return pa.array([value if value is None or isinstance(value, str) else json.dumps(value) for value in values])


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
