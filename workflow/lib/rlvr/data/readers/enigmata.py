"""Enigmata's released rows: which tasks there are, what a row's record is, how hard its puzzle is.

The release writes one record in several ways: ``meta`` as an object, as JSON text, or with lists inside it that are
JSON text again; task name and difficulty beside ``meta`` or inside it. All of them decode to the same record here.
SOURCE: the generators of github.com/BytedTsinghua-SIA/Enigmata, commit b9c6f59; appendix B.3 of "Structure Over Scale".
"""

import json
from typing import Any

import pandas as pd

from rlvr.data.readers.declare import Derived, reject

SHARED_TASKS = (
    "big_bench_symbolic", "binario", "campsite", "car_painting", "checkmate_in_one", "countdown", "crypto_KKA",
    "crypto_KPA", "eight_puzzle", "fifteen_puzzle", "full_crosswords", "game24", "hamiltonian_cycle",
    "hamiltonian_path", "hitori", "kakurasu", "knights_and_knaves", "light_up", "magic_square", "maze", "minesweeper",
    "natural_language_navigation", "nine_puzzle", "sixteen_puzzle", "skyscraper", "slant", "stack_permutation",
    "star_battle", "sudoku", "sudoku2", "sum_skyscraper", "symbolic_hard", "tic_tac_toe", "twiddle", "zebra_logic",
)  # fmt: skip
TRAIN_ONLY_TASKS = ("arc_agi", "pattern_recognition", "symbol_pattern")
EVAL_ONLY_TASKS = ("FOLIO",)
TASKS = frozenset((*SHARED_TASKS, *TRAIN_ONLY_TASKS, *EVAL_ONLY_TASKS))

LEVELS = {"easy": 1.0, "medium": 2.0, "hard": 3.0}  # ASSUME: other labels, or none, are no valid annotation


def decode_record(meta: Any) -> dict[str, Any] | None:
    """The record of a row, however ``meta`` is written.

    Args:
        meta: Object, JSON text of an object (also as JSON text once more), or nothing.

    Returns:
        The object, with lists and objects that were JSON text decoded too (every other text stays as it is);
        ``None`` where there is no object.
    """
    for _ in range(2):
        meta = _decode(meta) if isinstance(meta, str) else meta
    if not isinstance(meta, dict):
        return {} if meta is None or meta == "" else None
    return {key: _decode(value) if _is_nested(value) else value for key, value in meta.items()}


def _is_nested(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip()[:1] in ("[", "{")


def _decode(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text


def decode_rows(rows: pd.DataFrame, where: str) -> pd.DataFrame:
    """Read task, level and record of Enigmata's rows; every record is decoded once.

    Args:
        rows: The columns ``meta``, ``task_name`` and ``difficulty``, each possibly missing in a row.
        where: File that they are from, for messages.

    Returns:
        ``task``: the column ``task_name``, otherwise what the record says. ``level``: 1 easy, 2 medium, 3 hard, missing
        where no valid level is stated; the record's ``difficulty_level`` takes precedence over its ``difficulty``, and
        both over the column: the order in which the released evaluation looks for it. ``record``: JSON with sorted
        keys, which the verifiers read.

    Raises:
        InputError: For a ``meta`` that holds no object or a task outside ``TASKS``; names the row.
    """
    encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, check_circular=False).encode
    decoded = []
    for meta, task, label in zip(*(rows[name].tolist() for name in ("meta", "task_name", "difficulty")), strict=True):
        record = decode_record(meta)
        stated = record or {}
        level = LEVELS.get(str(stated.get("difficulty_level") or stated.get("difficulty") or label).strip().lower())
        decoded.append((task or stated.get("task_name"), level, None if record is None else encode(record)))
    frame = pd.DataFrame(decoded, index=rows.index, columns=["task", "level", "record"])
    reject(frame["record"].isna(), rows["meta"], f"{where}, column 'meta'", "not a JSON object")
    reject(~frame["task"].isin(TASKS), frame["task"], f"{where}, column 'task_name'", "no task of Enigmata")
    return frame


RECORDS = Derived(("task", "level", "record"), ("meta", "task_name", "difficulty"), decode_rows)


def verifiers(tasks: pd.Series, where: str) -> pd.Series:
    """Name of every row's verifier: ``enigmata/<task>``."""
    return "enigmata/" + tasks


def stored_answers(values: pd.Series, where: str) -> pd.Series:
    """Answers as stored: text as it is, lists as JSON; a missing or blank one is empty."""
    texts = values.fillna("").astype(str)
    return texts.where(texts.str.strip() != "", "")
