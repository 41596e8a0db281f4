r"""Readers: from a source's own columns to the columns of ``tables.PROBLEMS``.

A reader is a declaration: which column holds what, and the small transform that brings it into form. A value that is
missing becomes an empty question or answer and is dropped, counted, by the curation; a value that is wrong stops.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from rlvr.core.boxed import last_boxed
from rlvr.core.errors import InputError

Transform = Callable[[pd.Series, str], pd.Series]  # values and "file, column" for messages

# SOURCE: values that occur in DeepMath-103K beside its scale of 1 to 10; the names are ours.
DEEPMATH_SENTINELS = {-1.0: "unrated", 0.0: "unset"}
MATH_LEVEL = re.compile(r"^Level ([1-5])$")
MATH_LEVEL_UNKNOWN = "Level ?"  # SOURCE: two problems of MATH's train set carry it
BOX_INSTRUCTION = re.compile(r"\s*Please reason step by step, and put your final answer within \\boxed\{\}\.\s*$")


@dataclass(frozen=True)
class Field:
    """A column of the source and what brings it into form."""

    column: str
    transform: Transform


@dataclass(frozen=True)
class Reader:
    """How to read one set of columns.

    Attributes:
        question: Problem statement.
        answer: Gold answer.
        difficulty: Difficulty on the source's own scale, if it has one.
        topic: Topic, if it has one.
        identity: Column of the source's own id; without one, rows are numbered from 1.
        meta: Further columns kept as JSON.
        sentinels: Difficulties that are no ratings, and what they are called.
    """

    question: Field
    answer: Field
    difficulty: Field | None = None
    topic: Field | None = None
    identity: str | None = None
    meta: tuple[str, ...] = ()
    sentinels: Mapping[float, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Columns that must be there, in reading order."""
        fields = [part.column for part in (self.question, self.answer, self.difficulty, self.topic) if part]
        return list(dict.fromkeys([*fields, *([self.identity] if self.identity else []), *self.meta]))

    def require_columns(self, present: Iterable[str], where: str) -> None:
        """Raises InputError when a column is missing; the message names file, column and what was expected."""
        found = list(present)
        missing = [column for column in self.columns if column not in found]
        if missing:
            raise InputError(
                where,
                f"lacks the column '{missing[0]}' (found: {', '.join(found)}).",
                f"Expected: {', '.join(self.columns)}.",
            )


def get_reader(name: str) -> Reader:
    """The reader of that name.

    Raises:
        InputError: If there is none; lists those that exist.
    """
    if name not in READERS:
        raise InputError(f"reader '{name}'", "unknown.", f"Use one of {', '.join(READERS)} in data/sources.csv.")
    return READERS[name]


def read_problems(raw: pd.DataFrame, reader: str, source: str, dataset: str, where: str) -> pd.DataFrame:
    """Read raw rows as problems; nothing is dropped here.

    Args:
        raw: Rows in the source's own columns, in the source's order.
        reader: Name in ``READERS``.
        source: Name of the source; opens every ``problem_id``.
        dataset: Name of the data set that the problems are for.
        where: File that the rows came from, for messages.

    Returns:
        One row a raw row with the columns of ``tables.PROBLEMS``. A missing question or answer is an empty string.

    Raises:
        InputError: For a missing column, a value that is no difficulty or no integer answer (names the row, counted
            from 1), or an id that two rows share.
    """
    declared = get_reader(reader)
    declared.require_columns(raw.columns, where)

    def read(part: Field) -> pd.Series:
        return part.transform(raw[part.column], f"{where}, column '{part.column}'")

    return pd.DataFrame(
        {
            "problem_id": source + "/" + _identities(raw, declared, where),
            "dataset": dataset,
            "question": read(declared.question),
            "answer": read(declared.answer),
            "verifier": "math",
            "difficulty": read(declared.difficulty) if declared.difficulty else np.nan,
            "topic": read(declared.topic) if declared.topic else None,
            "meta": _meta(raw, declared.meta),
        }
    ).reset_index(drop=True)


def _identities(raw: pd.DataFrame, reader: Reader, where: str) -> pd.Series:
    if reader.identity is None:
        return pd.Series(np.arange(1, len(raw) + 1), index=raw.index).astype(str)
    names = raw[reader.identity].astype(str)
    if names.duplicated().any():
        row, name = _first(names.duplicated(), names)
        raise InputError(where, f"row {row} repeats the {reader.identity} '{name}'.", "Every row needs its own.")
    return names


def _meta(raw: pd.DataFrame, columns: tuple[str, ...]) -> list[str]:
    records = raw[list(columns)].to_dict("records") if columns else [{}] * len(raw)
    return [json.dumps(record, sort_keys=True, ensure_ascii=False) for record in records]


def _first(bad: pd.Series, values: pd.Series) -> tuple[int, object]:
    """Row number, counted from 1, and value of the first bad row."""
    position = int(np.argmax(bad.to_numpy()))
    return position + 1, values.iloc[position]


def _map_text(function: Callable[[str], str | None]) -> Transform:
    """A transform of text; missing values, and those that the function finds nothing in, become empty."""

    def transform(values: pd.Series, where: str) -> pd.Series:
        return pd.Series(
            ["" if pd.isna(value) else function(str(value)) or "" for value in values], index=values.index, dtype=object
        )

    return transform


def clean_gold(text: str) -> str:
    r"""A gold answer without surrounding blanks, ``$...$`` or ``\boxed{}``."""
    bare = text.strip()
    if len(bare) > 1 and bare[0] == bare[-1] == "$" and "$" not in bare[1:-1]:
        bare = bare[1:-1].strip()
    content = last_boxed(bare)
    return content.strip() if content is not None and bare == rf"\boxed{{{content}}}" else bare


def _strip_instruction(prompt: str) -> str:
    return BOX_INSTRUCTION.sub("", prompt).strip()


def _integer(values: pd.Series, where: str) -> pd.Series:
    """Integer answers in plain digits: 025, "25" and 25.0 are all 25; missing ones become empty."""

    def plain(value: Any) -> str | None:
        try:
            return "" if pd.isna(value) else str(int(str(value).removesuffix(".0")))
        except ValueError:
            return None

    answers = pd.Series([plain(value) for value in values], index=values.index, dtype=object)
    _reject(answers.isna(), values, where, "no integer answer")
    return answers


def _number(values: pd.Series, where: str) -> pd.Series:
    """Numbers stored as numbers; missing ones stay missing."""
    odd = pd.Series([isinstance(value, bool) or not isinstance(value, Number) for value in values], index=values.index)
    _reject(odd & values.notna(), values, where, "not a number, as the source stores them")
    numbers = values.astype(float)
    _reject(numbers.abs() == np.inf, values, where, "infinite")
    return numbers


def _number_text(values: pd.Series, where: str) -> pd.Series:
    """Numbers stored as text; missing and empty ones become missing, other words stop."""
    numbers = pd.to_numeric(values.replace("", None), errors="coerce").astype(float)
    stated = values.notna() & (values.astype(str) != "")
    _reject(stated & (numbers.isna() | (numbers.abs() == np.inf)), values, where, "no number")
    return numbers


def _math_level(values: pd.Series, where: str) -> pd.Series:
    """``Level 3`` becomes 3.0, ``Level ?`` missing."""
    found = values.astype(str).str.extract(MATH_LEVEL)[0]
    known = found.notna() | values.isna() | (values == MATH_LEVEL_UNKNOWN)
    _reject(~known, values, where, "no level from 'Level 1' to 'Level 5'")
    return found.astype(float)


def _reject(bad: pd.Series, values: pd.Series, where: str, problem: str) -> None:
    if bad.any():
        row, value = _first(bad, values)
        raise InputError(where, f"row {row} holds '{value}': {problem}.", "Mend the file, or name another reader.")


_strip, _gold = _map_text(str.strip), _map_text(clean_gold)

READERS = {
    "deepmath": Reader(
        question=Field("question", _strip),
        answer=Field("final_answer", _gold),
        difficulty=Field("difficulty", _number),
        topic=Field("topic", _strip),
        sentinels=DEEPMATH_SENTINELS,
    ),
    "roll": Reader(
        question=Field("prompt", _strip),
        answer=Field("ground_truth", _gold),
        difficulty=Field("difficulty", _number_text),
        identity="id",
        sentinels=DEEPMATH_SENTINELS,
    ),
    "math": Reader(
        question=Field("problem", _strip),
        answer=Field("solution", _map_text(last_boxed)),
        difficulty=Field("level", _math_level),
        topic=Field("type", _strip),
    ),
    "math-500": Reader(
        question=Field("problem", _strip),
        answer=Field("answer", _gold),
        difficulty=Field("level", _number),
        topic=Field("subject", _strip),
        identity="unique_id",
    ),
    "aime": Reader(question=Field("problem", _strip), answer=Field("answer", _integer), identity="id", meta=("url",)),
    "matharena": Reader(question=Field("problem", _strip), answer=Field("answer", _integer), identity="problem_idx"),
    "aime-prompt": Reader(question=Field("prompt", _map_text(_strip_instruction)), answer=Field("answer", _integer)),
}
