"""Rows of ``statements.csv``: what a paper says, where, and the printed numbers that it must follow from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rlvr.core.csvfile import read_csv
from rlvr.core.errors import InputError
from rlvr.report.audit.printed_cells import PrintedCells

COLUMNS = ("id", "document", "where", "sentence", "kind", "printed", "operands", "unit", "note")
PLACE_COLUMNS = ("document", "place", "topics")
REFERENCE = re.compile(r"\[([^\]]+)\]")
HOLDERS = ("{row}", "{column}")


@dataclass(frozen=True)
class Statement:
    """One statement of a paper.

    Attributes:
        id: Its key; rows with ``{row}`` or ``{column}`` become one statement for each printed cell.
        document: Which document of the study says it.
        where: Place in the document, as readers call it.
        sentence: What is said, in our words.
        kind: How it is checked; a key of ``kinds.KINDS``.
        printed: What is printed there: a number, a range, words, a pointer.
        operands: What it must follow from, in the language of ``operands``.
        unit: For display.
        note: For readers; never a verdict.
        origin: File and line.
    """

    id: str
    document: str
    where: str
    sentence: str
    kind: str
    printed: str
    operands: str
    unit: str
    note: str
    origin: str


def load_statements(folder: Path, cells: PrintedCells, kinds: Mapping[str, object]) -> list[Statement]:
    """Statements of a study, in the order of its file, with placeholders filled in; none without the file.

    Args:
        folder: The study's folder.
        cells: Printed tables of all studies.
        kinds: Known kinds.

    Raises:
        InputError: For other columns, an unknown kind, an empty key or sentence, or a key that stands twice.
    """
    path = folder / "statements.csv"
    if not path.is_file():
        return []
    found: dict[str, Statement] = {}
    for number, line in read_csv(path, COLUMNS):
        origin = f"{path}, line {number}"
        if set(line) != set(COLUMNS):
            raise InputError(path, "has other columns than expected.", f"Expected: {', '.join(COLUMNS)}.")
        for column in ("id", "document", "where", "sentence"):
            if not line[column].strip():
                raise InputError(origin, f"column '{column}' is empty.", "Fill it in.")
        if line["kind"] not in kinds:
            raise InputError(origin, f"kind '{line['kind']}' is not known.", f"Known: {', '.join(kinds)}.")
        for statement in expand(Statement(**line, origin=origin), folder.name, cells):
            if statement.id in found:
                raise InputError(origin, f"id '{statement.id}' appears twice.", "Rename one of them.")
            found[statement.id] = statement
    return list(found.values())


def expand(statement: Statement, study: str, cells: PrintedCells) -> list[Statement]:
    """One statement for each printed cell that ``{row}`` and ``{column}`` may stand for.

    The first reference that holds a placeholder says which cells: those of its table that are not empty.

    Raises:
        InputError: If a placeholder stands outside of all references.
    """
    texts = f"{statement.printed} ; {statement.operands}"
    held = [holder for holder in HOLDERS if holder in texts]
    if not held:
        return [statement]
    first = next((found[1] for found in REFERENCE.finditer(texts) if set(held) <= _holders(found[1])), None)
    if first is None:
        raise InputError(statement.origin, f"{' and '.join(held)} stand in no [reference].", "See docs/audit.md.")
    pattern = first.replace("{row}", "*").replace("{column}", "*")
    filled = []
    for cell in cells.find(study, pattern, statement.origin):
        values = {"{row}": cell.row, "{column}": cell.column}

        def fill(text: str, values: Mapping[str, str] = values) -> str:
            for holder in held:
                text = text.replace(holder, values[holder])
            return text

        key = ":".join([statement.id, *(values[holder] for holder in held)])
        changed = {name: fill(getattr(statement, name)) for name in ("sentence", "printed", "operands")}
        filled.append(replace(statement, id=key, **changed))
    return filled


def _holders(text: str) -> set[str]:
    return {holder for holder in HOLDERS if holder in text}


def load_places(folder: Path) -> dict[str, dict[str, frozenset[str]]]:
    """What each place of each document is about, for pointers: document, place, topics (``places.csv``).

    Raises:
        InputError: For other columns, or a place that stands twice.
    """
    path = folder / "places.csv"
    found: dict[str, dict[str, frozenset[str]]] = {}
    if not path.is_file():
        return found
    for number, line in read_csv(path, PLACE_COLUMNS):
        places = found.setdefault(line["document"], {})
        if line["place"] in places:
            raise InputError(f"{path}, line {number}", f"'{line['place']}' appears twice.", "Join the two lines.")
        places[line["place"]] = frozenset(topic.strip() for topic in line["topics"].split(";") if topic.strip())
    return found
