"""Cells of the papers' printed tables, and sizes of the models that they name."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from rlvr.core.csvfile import read_csv
from rlvr.core.errors import InputError

FOLDERS = ("reported", "printed")  # beside our cells; read by the audit alone
COUNTS = "parameters"  # in reported: printed counts of parameters, with the tables that print them
CONFIGURATIONS = "config"  # a table of this name holds the sizes of the real models
Table = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Cell:
    """One printed number: its table, row and column, its text and what readers call the place."""

    table: str
    row: str
    column: str
    text: str
    place: str


class PrintedCells:
    """Printed tables of all studies, read when they are asked for."""

    def __init__(self, studies: Path, configurations: Path) -> None:
        self.studies, self.configurations = studies, configurations
        self._tables: dict[tuple[str, str], Table] = {}

    def find(self, study: str, reference: str, where: str) -> list[Cell]:
        """Cells that ``[study:]table row column`` names; row and column may hold ``*``. Empty cells are left out.

        Args:
            study: The study whose statement it is.
            reference: The text between the brackets.
            where: File and line, for messages.

        Raises:
            InputError: If there is no such table, or no cell in it.
        """
        owner, table, row, column = self.split(study, reference, where)
        rows = self.table(owner, table, where)
        place = place_of(table) if owner == study or table == CONFIGURATIONS else f"{place_of(table)} of {owner}"
        found = [
            Cell(table, row_key, column_key, text, place)
            for row_key, cells in rows.items()
            for column_key, text in cells.items()
            if text and fnmatchcase(row_key, row) and fnmatchcase(column_key, column)
        ]
        if not found:
            raise InputError(where, f"[{reference}] names no printed cell.", f"Rows: {', '.join(rows)}.")
        return found

    def split(self, study: str, reference: str, where: str) -> tuple[str, str, str, str]:
        """Study, table, row and column of a reference.

        Raises:
            InputError: If it has not three words.
        """
        owner, colon, rest = reference.rpartition(":")
        words = rest.split()
        if len(words) != 3:
            raise InputError(where, f"[{reference}] is no reference.", "Expected [table row column].")
        return (owner.strip() if colon else study, words[0], words[1], words[2])

    def table(self, study: str, table: str, where: str) -> Table:
        """Rows of a printed table by key, from ``reported``, ``printed`` and the printed counts of parameters.

        Raises:
            InputError: If no file has it, or two files have a cell of it.
        """
        if (study, table) not in self._tables:
            self._tables[study, table] = self._read(study, table, where)
        return self._tables[study, table]

    def _read(self, study: str, table: str, where: str) -> Table:
        if table == CONFIGURATIONS:
            return read_configurations(self.configurations)
        paths = [self.studies / study / folder / f"{table}.csv" for folder in FOLDERS]
        rows: dict[str, dict[str, str]] = {}
        for path in filter(Path.is_file, paths):
            for line, cells in read_csv(path, ("row",)):
                row = rows.setdefault(cells.pop("row"), {})
                for column, text in cells.items():
                    if text and column in row:
                        problem = f"'{column}' is '{text}', in another file '{row[column]}'."
                        raise InputError(f"{path}, line {line}", problem, "A printed number stands once: remove one.")
                    if text:
                        row[column] = text
        for key, model, text in read_counts(self.studies / study / FOLDERS[0] / f"{COUNTS}.csv", table):
            rows.setdefault(key, {})[model] = text
        if not rows:
            known = sorted({path.stem for folder in FOLDERS for path in (self.studies / study / folder).glob("*.csv")})
            raise InputError(where, f"the study {study} has no printed {table}.", f"Known: {', '.join(known)}.")
        return rows


def read_counts(path: Path, table: str) -> list[tuple[str, str, str]]:
    """Printed counts of parameters of a table: key of the row, model, text; those that point to a table are left out.

    The key of ``LoRA r = 8`` is ``lora-r8``.
    """
    lines = read_csv(path, ("output", "label", "model", "printed")) if path.is_file() else []
    found = []
    for _, line in lines:
        if place_of(table) == line["output"] and not line["printed"].startswith("["):
            key = line["label"].lower().replace(" = ", "").replace(" ", "-")
            found.append((key, line["model"], line["printed"]))
    return found


def read_configurations(folder: Path) -> Table:
    """Whole numbers of each model's ``config.json`` as texts, by model and key."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        found[path.stem] = {key: str(value) for key, value in content.items() if type(value) is int}
    return found


def place_of(table: str) -> str:
    """What readers call a table.

    >>> place_of("table13"), place_of("section1.2"), place_of("config")
    ('table 13', 'section 1.2', 'the model configuration')
    """
    if table == CONFIGURATIONS:
        return "the model configuration"
    match = re.fullmatch(r"(table|figure|section|appendix)([A-Z0-9.]+)", table)
    return f"{match[1]} {match[2]}" if match else table.replace("_", " ")
