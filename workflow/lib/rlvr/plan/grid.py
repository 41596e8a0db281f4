"""The grid of a study: ``grid.csv`` read, its products expanded, every row checked and named.

A row is one training run and holds only what differs from the study's recipe. A cell with several values, split by
``|``, stands for one row per value, so that a sweep over ranks and seeds is one line. ``alpha`` may be a multiple of
the rank (``2r``). The id of a run follows from its row.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from rlvr.core.csvfile import read_csv
from rlvr.core.errors import InputError
from rlvr.core.schemas import check_against, load_yaml

SEPARATOR = "|"
ALPHA_PER_RANK = 2  # SOURCE: "Structure Over Scale", table 9 (r = 16, alpha = 32): what a run id need not say
MULTIPLE_OF_RANK = re.compile(r"([0-9]+(?:\.[0-9]+)?)r")
INTEGER = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
SAFE_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
LONGEST_NUMBER = 25  # characters
LONGEST_ID = 200  # characters; file names of most file systems end at 255

# How a setting of the recipe that a row changes is written in the run's id; others are written as "<key>-<value>".
SHORT = {
    "learning_rate": "lr{}",
    "schedule": "{}",
    "loss_type": "{}",
    "reward": "{}",
    "max_steps": "{}steps",
    "epochs": "{}epochs",
    "block_size": "b{}",
    "butterfly_factors": "m{}",
    "base_dtype": "{}",
    "trained_dtype": "trained-{}",
    "algorithm": "{}",
    "truncated_completions": "truncated-{}",
    "resampling_rounds": "resampled{}",
    "rollout_weights": "rollouts-{}",
}
# What is kept on the way changes nothing that comes out at the end, and so no id.
NOT_SETTINGS = ("run_id", "tier", "for", "seed", "model", "dataset", "completions_per_step", "keep_steps")
OF_METHODS = ("method", "rank", "alpha", "axes", "target_modules")

Row = dict[str, Any]


def grid_schema(schemas: Path) -> dict[str, Any]:
    """Schema of a typed row without its empty cells: the grid's own columns, and one per key of the recipe."""
    own = load_yaml(schemas / "grid.schema.yaml")
    study = load_yaml(schemas / "study.schema.yaml")
    recipe = study["properties"]["recipe"]["properties"]
    settings = {key: value for key, value in recipe.items() if key not in {*own["properties"], "from"}}
    return {**own, "$defs": study["$defs"], "properties": {**own["properties"], **settings}}


def read_grid(path: Path, schemas: Path) -> list[Row]:
    """Rows of a grid, products expanded, numbers as numbers, empty cells as ``None``.

    Args:
        path: ``grid.csv`` of a study.
        schemas: Folder of the JSON schemas.

    Raises:
        InputError: For a missing file, an unknown column, or a value of the wrong type; names the line and the column.
    """
    if not path.is_file():
        raise InputError(path, "no such file.", "A study needs a grid: a header and one line per run.")
    schema = grid_schema(schemas)
    kinds = {column: kind_of(entry, schema["$defs"]) for column, entry in schema["properties"].items()}
    rows = []
    for line, raw in read_csv(path):
        where = f"{path}, line {line}"
        check_header(raw, kinds, path)
        for cells in expand(raw):
            row = {column: typed_cell(column, cell, cells, kinds[column], where) for column, cell in cells.items()}
            check_against({column: cell for column, cell in row.items() if cell is not None}, schema, where)
            rows.append(row)
    if not rows:
        raise InputError(path, "has no rows.", "A study needs one line per run below the header.")
    return rows


def check_header(header: Iterable[str], columns: Mapping[str, Any], path: Path) -> None:
    """Check that a grid's columns are known.

    Raises:
        InputError: Names the column.
    """
    for column in header:
        if column not in columns:
            raise InputError(path, f"unknown column '{column}'.", f"Known columns: {', '.join(columns)}.")


def expand(cells: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The rows that a row with ``|`` in its cells stands for, the last column varying fastest.

    >>> [row["rank"] for row in expand({"rank": "8 | 16", "seed": "42"})]
    ['8', '16']
    """
    several = [[part.strip() for part in cell.split(SEPARATOR)] for cell in cells.values()]
    for values in product(*several):
        yield dict(zip(cells, values, strict=True))


def name_run(row: Mapping[str, Any], completions_per_step: int, tag: str = "") -> str:
    """The id of a row: ``<model>_<dataset>_<method and what the row sets>_bs<completions per step>_s<seed>[_<tag>]``.

    Args:
        row: Typed cells.
        completions_per_step: As resolved: the row's, or the recipe's.
        tag: ``run_tag`` of the study.
    """
    parts = [str(row["method"])]
    rank, alpha, targets = row.get("rank"), row.get("alpha"), row.get("target_modules")
    if rank is not None:
        parts.append(f"r{rank}")
    if alpha is not None and alpha != ALPHA_PER_RANK * (rank or 0):
        parts.append(f"a{alpha:g}")
    if row.get("axes") is not None:
        parts.append(f"d{row['axes']}")
    if targets is not None and (targets != "all_linear" or rank is None):
        parts.append(targets)
    for key, value in row.items():
        if value is not None and key not in (*NOT_SETTINGS, *OF_METHODS):
            text = f"{value:g}" if isinstance(value, float) else str(value)
            parts.append(SHORT.get(key, f"{key}-{{}}").format(text))
    middle = "-".join(parts).replace("_", "-").replace("+", "")
    names = [
        row["model"],
        row["dataset"],
        middle,
        f"bs{completions_per_step}",
        f"s{row['seed']}",
        *([tag] if tag else []),
    ]
    return "_".join(names)


def check_run_id(run_id: str, where: object) -> None:
    """Check that an id can be the name of a folder and of a wildcard.

    Raises:
        InputError: Names the row and the id.
    """
    if not SAFE_ID.fullmatch(run_id) or len(run_id) > LONGEST_ID:
        remedy = (
            f"Use names of lower-case letters, digits, dots and hyphens; an id has at most {LONGEST_ID} characters."
        )
        raise InputError(where, f"its run id would be '{run_id}'.", remedy)


def kind_of(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> type:
    """Type of a column's cells, from its schema."""
    named = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    kinds = named.get("type", "string")
    if "integer" in kinds:
        return int
    return float if "number" in kinds else str


def typed_cell(column: str, cell: str, cells: Mapping[str, str], kind: type, where: str) -> Any:
    """A cell as integer, number or text; ``None`` for an empty one.

    Raises:
        InputError: Names the column and the text that is not a number.
    """
    if not cell:
        return None
    if column == "alpha" and (multiple := MULTIPLE_OF_RANK.fullmatch(cell)):
        rank = cells.get("rank", "")
        if not INTEGER.fullmatch(rank):
            raise InputError(where, f"column 'alpha' holds '{cell}', but there is no rank.", "Give a rank or a number.")
        return float(multiple[1]) * _parsed(int, rank, column, where)
    if kind is str:
        return cell
    if not (INTEGER if kind is int else NUMBER).fullmatch(cell):
        expected = "an integer" if kind is int else "a number"
        raise InputError(where, f"column '{column}' holds '{cell}'.", f"Expected {expected} or an empty cell.")
    return _parsed(kind, cell, column, where)


def _parsed(kind: type, cell: str, column: str, where: str) -> Any:
    if len(cell) > LONGEST_NUMBER:
        raise InputError(where, f"column '{column}' holds a number that is too long.", "Shorten it.")
    return kind(cell)
