"""Reading: raw rows in their own columns in, problems out; nothing is dropped here."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError
from rlvr.data.readers.declare import Field, Reader, reject
from rlvr.data.readers.own import PREFIX, own_reader
from rlvr.data.readers.registered import READERS
from rlvr.data.readers.transforms import worked_solution
from rlvr.plan.sources import SOLVED_BY


def get_reader(name: str) -> Reader:
    """The reader of that name: a registered one, or one that a scale's own columns describe.

    Behind ``SOLVED_BY`` stands the column of the worked solutions, where a scale names one (``plan.sources``).

    Raises:
        InputError: If there is none; lists those that exist.
    """
    if name.startswith(PREFIX):
        return own_reader(name)
    name, _, column = name.partition(SOLVED_BY)
    if column:
        return replace(get_reader(name), solution=Field(column, worked_solution))
    if name not in READERS:
        raise InputError(f"reader '{name}'", "unknown.", f"Use one of {', '.join(READERS)} in data/sources.csv.")
    return READERS[name]


def read_problems(
    raw: pd.DataFrame,
    reader: str,
    source: str,
    dataset: str,
    where: str,
    rows: np.ndarray | None = None,
    before: int = 0,
) -> pd.DataFrame:
    """Read raw rows as problems; nothing is dropped here, row rules included.

    Args:
        raw: Rows in the source's own columns (children of structs as ``parent.child``), in the source's order.
        reader: Name in ``READERS``.
        source: Name of the source; opens every ``problem_id``.
        dataset: Name of the data set that the problems are for.
        where: File that the rows came from, for messages.
        rows: Number of each row in its file, where rows between them were left out; by default 1, 2, ...
        before: Rows in the source's files before this one; row numbers that serve as ids go on counting from there.

    Returns:
        One row per raw row with the columns of ``tables.PROBLEMS``. A missing question or answer is an empty string.

    Raises:
        InputError: For a missing column, a value that its transform refuses (names the row, counted from 1), a missing
            id, or an id that two rows share.
    """
    declared = get_reader(reader)
    judged_before = set(declared.all_columns) - set(declared.columns)
    declared.require_columns([*raw.columns, *judged_before], where)
    raw = raw.assign(**{name: None for name in declared.json_columns if name not in raw})
    raw = raw.set_axis(np.arange(1, len(raw) + 1) if rows is None else rows)
    if declared.derived:
        raw = raw.join(declared.derived.transform(raw[list(declared.derived.columns)], where))

    def read(part: Field) -> pd.Series:
        given = raw[list(part.columns)] if part.further else raw[part.column]
        return part.transform(given, f"{where}, column '{part.column}'")

    return pd.DataFrame(
        {
            "problem_id": source + "/" + _identities(raw, declared, where, before),
            "dataset": dataset,
            "question": read(declared.question),
            "answer": read(declared.answer),
            "verifier": read(declared.verifier) if isinstance(declared.verifier, Field) else declared.verifier,
            "difficulty": read(declared.difficulty) if declared.difficulty else np.nan,
            "topic": read(declared.topic) if declared.topic else None,
            "solution": read(declared.solution) if declared.solution else None,
            "meta": read(declared.meta) if isinstance(declared.meta, Field) else _meta(raw, declared.meta),
        }
    ).reset_index(drop=True)


def _identities(raw: pd.DataFrame, reader: Reader, where: str, before: int) -> pd.Series:
    if reader.identity is None:
        return pd.Series((raw.index + before).astype(str), index=raw.index)
    stated = raw[reader.identity]
    reject(stated.isna(), stated, f"{where}, column '{reader.identity}'", "no id")
    names = stated.astype(str)
    repeated = names.duplicated()
    if repeated.any():
        row, first = repeated.idxmax(), names[repeated].iloc[0]
        raise InputError(where, f"row {row} repeats the {reader.identity} '{first}'.", "Every row needs its own.")
    return names


def _meta(raw: pd.DataFrame, columns: tuple[str, ...]) -> list[str] | str:
    if not columns:
        return "{}"
    encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=_plain).encode
    rows = zip(*(raw[column].tolist() for column in columns), strict=True)
    return [encode(dict(zip(columns, row, strict=True))) for row in rows]


def _plain(value: Any) -> Any:
    """Arrays and numbers of numpy, and missing values, as JSON knows them."""
    return None if value is pd.NA else value.tolist()
