"""Rows whose parameters are counted at real size: what the papers print, and the runs of the selected grids."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from rlvr.core.csvfile import read_csv
from rlvr.core.errors import InputError
from rlvr.plan.grid import typed_cell
from rlvr.plan.method import SETTINGS, SMALLEST, Methods, check_method_settings
from rlvr.plan.printed import parse_printed
from rlvr.plan.recipe import resolve_settings
from rlvr.plan.scale import load_scale
from rlvr.plan.study import Study, complete_recipe

REAL_SCALE = "paper"
UNITS = ("parameters", "percent")
TEXTS = ("method", "target_modules")
PLACE = re.compile(r"\[(\S+) (\S+) (\S+)\]")


def load_printed_counts(path: str | Path) -> list[dict[str, str]]:
    """Rows of a study's ``reported/parameters.csv``, with the study's name.

    A count that stands in a table beside it is written as its place, ``[table row column]``, and looked up there.

    Raises:
        InputError: For a printed number that cannot be read or is not there, or an unknown unit; names the line.
    """
    rows = read_csv(path, ("label", "model", "method", "printed", "unit"))
    for line, row in rows:
        where = f"{path}, line {line}"
        if place := PLACE.fullmatch(row["printed"]):
            row["printed"] = _text_at(Path(path).parent, place[1], place[2], place[3], where)
        parse_printed(row["printed"], where)
        if row["unit"] not in UNITS:
            raise InputError(where, f"unit '{row['unit']}'.", f"Choose one of {', '.join(UNITS)}.")
    return [{"study": Path(path).parents[1].name, **row} for _, row in rows]


def check_printed_counts(path: Path, methods: Methods, models: Collection[str]) -> None:
    """Check the printed counts of a study before a target asks for them; nothing happens where it has none.

    Args:
        path: Its ``reported/parameters.csv``.
        methods: The registry of methods.
        models: Models of any scale.

    Raises:
        InputError: Names the file, the row by its label, and what is wrong with it.
    """
    for row in load_printed_counts(path) if path.is_file() else ():
        where = f"{path}, row '{row['label']}'"
        if row["model"] not in models:
            raise InputError(where, f"model '{row['model']}' is not known.", f"Known: {', '.join(sorted(models))}.")
        settings = typed(row, where)
        check_method_settings(where, row["method"], {name: settings[name] for name in SETTINGS}, methods)


def _text_at(folder: Path, table: str, row: str, column: str, where: str) -> str:
    """The printed text of a cell of a reported table, or of a printed one that is beside no output."""
    beside = folder.with_name("printed") / f"{table}.csv"
    path = beside if beside.is_file() and not (folder / f"{table}.csv").is_file() else folder / f"{table}.csv"
    lines = [line for _, line in read_csv(path, ("row",)) if line["row"] == row]
    if not lines or not lines[0].get(column):
        raise InputError(where, f"[{table} {row} {column}] names no printed cell.", f"See {table}.csv beside it.")
    return lines[0][column]


def real_size_rows(
    printed_paths: Iterable[Path],
    studies: Iterable[Study],
    configured: Collection[str],
    scales: Path,
    studies_folder: Path,
    schemas: Path,
    methods: Methods,
) -> list[dict[str, Any]]:
    """Rows with ``settings``: the fields of ``TrainSettings`` at the sizes of scale ``paper``.

    Args:
        printed_paths: Every study's ``reported/parameters.csv``.
        studies: Studies whose grids are counted, too.
        configured: Models whose architecture stands in ``data/configs``; rows of other models are left out.
        scales: Folder of the scales.
        studies_folder: Folder of all studies.
        schemas: Folder of the JSON schemas.
        methods: The registry of methods.
    """
    scale = load_scale(REAL_SCALE, scales, schemas)
    counted = []
    for printed in (row for path in printed_paths for row in load_printed_counts(path)):
        recipe = complete_recipe(printed["study"], studies_folder, schemas)
        cells = typed(printed, f"printed counts of '{printed['study']}', row '{printed['label']}'")
        counted.append({**printed, "settings": settings_at_real_size(cells, recipe, scale, methods)})
    for study in studies:
        for run_id, row in study.rows.items():
            if row["model"] in configured:
                named = {"run_id": run_id, "model": row["model"], "method": row["method"]}
                counted.append({**named, "settings": settings_at_real_size(row, study.recipe, scale, methods)})
    return counted


def typed(row: Mapping[str, str], where: str) -> dict[str, Any]:
    """A row of printed counts as a grid row: the method's settings as numbers, empty cells as ``None``.

    Raises:
        InputError: Opens with ``where`` and names a cell that is no number.
    """
    found: dict[str, Any] = {"run_id": row["label"], "model": row["model"], "dataset": "any", "seed": 0}
    for name in ("method", *SETTINGS):
        kind = str if name in TEXTS else int if name in SMALLEST else float
        found[name] = typed_cell(name, row.get(name, ""), row, kind, where)
    return found


def settings_at_real_size(
    row: Mapping[str, Any], recipe: Mapping[str, Any], scale: Mapping[str, Any], methods: Methods
) -> dict[str, Any]:
    """Settings of a row at real size, with its rank as printed."""
    ranks = {row["rank"]: row["rank"]} if row.get("rank") is not None else {}
    return resolve_settings(row, recipe, scale, methods, ranks, "parameters")
