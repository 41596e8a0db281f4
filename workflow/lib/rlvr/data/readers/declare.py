"""Declarations of readers: which columns of a source hold what, which rows count, and how values come into form."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

Transform = Callable[[Any, str], pd.Series]  # a column (or several) and "file, column" for messages


@dataclass(frozen=True)
class Field:
    """A column of the source and what brings it into form.

    Attributes:
        column: Name; a child of a struct is ``parent.child``.
        transform: Takes the column and, for messages, where it is from; returns a series with the same index.
        further: Columns that the transform needs beside the first; it then takes a frame of all of them.
    """

    column: str
    transform: Transform
    further: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the transform sees."""
        return (self.column, *self.further)


@dataclass(frozen=True)
class Derived:
    """Columns that are worked out together, once for each row, before any field is read.

    Attributes:
        names: Columns that come to be; fields may name them.
        columns: Columns of the source that they are worked out from.
        transform: From a frame of those, and where it is from, to a frame of the new ones with the same index.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    transform: Callable[[pd.DataFrame, str], pd.DataFrame]


@dataclass(frozen=True)
class RowRule:
    """Which rows of a file belong to the data set; judged on whole columns before anything else is read.

    Attributes:
        name: What the rows that stay have in common, for the card.
        column: The column it looks at.
        passes: From that column (as Arrow) to one truth value per row.
    """

    name: str
    column: str
    passes: Callable[["pa.ChunkedArray"], np.ndarray]


@dataclass(frozen=True)
class Reader:
    """How to read one set of columns.

    Attributes:
        question: Problem statement.
        answer: Gold answer.
        difficulty: Difficulty on the source's own scale, if it has one.
        topic: Topic, if it has one.
        identity: Column of the source's own id; without one, rows are named by their number, from 1.
        meta: Further columns kept as JSON, or a field that writes the JSON itself.
        ratings: The lowest and the highest difficulty of the source's scale; infinite where it is not known.
        sentinels: Difficulties that are no ratings, and what they are called.
        verifier: What grades the answers: a name for all rows, or a field that names it for each.
        rules: Which rows belong to the data set, applied in order.
        json_columns: Columns that hold text in one file and a list or object in another, or are missing from some:
            stored as text, whatever is not text as JSON.
        derived: Columns that fields name and the source does not hold as they are.
        solution: Worked solution, if the source has one that costs nothing more to read.
    """

    question: Field
    answer: Field
    difficulty: Field | None = None
    topic: Field | None = None
    identity: str | None = None
    meta: tuple[str, ...] | Field = ()
    ratings: tuple[float, float] = (-math.inf, math.inf)
    sentinels: Mapping[float, str] = field(default_factory=dict)
    verifier: str | Field = "math"
    rules: tuple[RowRule, ...] = ()
    json_columns: tuple[str, ...] = ()
    derived: Derived | None = None
    solution: Field | None = None

    @property
    def is_rated(self) -> bool:
        """Whether its rows have a difficulty."""
        return self.difficulty is not None

    @property
    def columns(self) -> list[str]:
        """Columns of the source that problems are made from, in reading order, derived ones last."""
        parts = (self.question, self.answer, self.difficulty, self.topic, self.verifier, self.meta, self.solution)
        fields = [name for part in parts if isinstance(part, Field) for name in part.columns]
        listed = self.meta if isinstance(self.meta, tuple) else ()
        named = [*fields, *([self.identity] if self.identity else []), *listed]
        if self.derived:
            named = [*(name for name in named if name not in self.derived.names), *self.derived.columns]
        return list(dict.fromkeys(named))

    @property
    def all_columns(self) -> list[str]:
        """Columns that a reader needs: those that hold problems and those that only its row rules look at."""
        return list(dict.fromkeys([*self.columns, *(rule.column for rule in self.rules)]))

    def require_columns(self, present: Iterable[str], where: str) -> None:
        """Raises InputError when a column is missing; the message names file, column and what was expected."""
        found = list(present)
        needed = [column for column in self.all_columns if column not in self.json_columns]
        missing = [column for column in needed if column not in found]
        if missing:
            raise InputError(
                where,
                f"lacks the column '{missing[0]}' (found: {', '.join(found)}).",
                f"Expected: {', '.join(needed)}.",
            )


def reject(bad: pd.Series, values: pd.Series, where: str, problem: str) -> None:
    """Raises InputError for the first bad row: names its number (the index), its value and what is wrong."""
    if bad.any():
        position = int(np.argmax(bad.to_numpy()))
        row, value = values.index[position], values.iloc[position]
        raise InputError(where, f"row {row} holds '{value}': {problem}.", "Correct the file, or name another reader.")
