"""A puzzle as its verifier reads it: the stored answer and the record, decoded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Cell = tuple[int, int]
Grid = list[list[int]]


@dataclass(frozen=True)
class Puzzle:
    """A puzzle as its checks see it.

    Attributes:
        answer: The stored answer: text, or the value where the text is JSON.
        record: ``meta`` of the released row.
    """

    answer: Any
    record: Mapping[str, Any]

    def value(self, key: str) -> Any:
        """An entry of the record; lists and objects that were stored as JSON text are decoded.

        Raises:
            ValueError: If the record lacks it.
        """
        if key not in self.record:
            raise ValueError(f"the record has no '{key}'")
        return decode(self.record[key])

    def text(self, key: str) -> str:
        """An entry that must be text.

        Raises:
            ValueError: If it is missing or no text.
        """
        found = self.record.get(key)
        if not isinstance(found, str):
            raise ValueError(f"'{key}' of the record is not text")
        return found

    @property
    def answer_text(self) -> str:
        """The stored answer where it must be text.

        Raises:
            ValueError: If it is not text, or empty.
        """
        if not isinstance(self.answer, str) or not self.answer.strip():
            raise ValueError("the stored answer is not text")
        return self.answer


def read_puzzle(gold: str, meta: str) -> Puzzle:
    """A puzzle from the columns ``answer`` and ``meta`` of ``tables.PROBLEMS``.

    Raises:
        ValueError: If the record is not a JSON object.
    """
    record = json.loads(meta)
    if not isinstance(record, dict):
        raise ValueError("the record is not a JSON object")
    return Puzzle(decode(gold), record)


def decode(value: Any) -> Any:
    """A list or an object that was stored as JSON text; everything else stays as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except (json.JSONDecodeError, RecursionError):
        return value


def as_grid(value: Any, rows: int | None = None, columns: int | None = None) -> Grid:
    """A rectangular grid of whole numbers from a record.

    Args:
        value: The record's entry.
        rows: Rows it must have, or ``None`` for any positive number.
        columns: Columns it must have, or ``None`` for as many as the first row has.

    Raises:
        ValueError: If it is no such grid.
    """
    if not isinstance(value, list) or not value or not all(isinstance(row, list) for row in value):
        raise ValueError(f"{value!r:.60} is not a grid")
    width = len(value[0]) if columns is None else columns
    whole = all(type(cell) is int for row in value for cell in row)
    if not whole or any(len(row) != width for row in value) or len(value) != (rows or len(value)) or not width:
        raise ValueError(f"{value!r:.60} is not a grid of whole numbers of the expected size")
    return value


def as_integers(value: Any) -> list[int]:
    """A list of whole numbers from a record.

    Raises:
        ValueError: If it is none.
    """
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise ValueError(f"{value!r:.60} is not a list of whole numbers")
    return value


def as_cells(value: Any) -> list[Cell]:
    """A list of coordinates from a record.

    Raises:
        ValueError: If it is none.
    """
    if value == []:
        return []
    return [(row, column) for row, column in as_grid(value, columns=2)]
