"""How an answer's text is read: grids, lists, coordinates. Everything returns ``None`` for what it cannot read.

No text is ever evaluated. Python's own literals are read by ``ast``, from an alphabet without names and within limits
that keep it from running deep or long. All other readers are linear scans.
"""

import ast
import re
from typing import Any

from rlvr.grading.enigmata.puzzle import Cell, Grid

MAX_LITERAL = 20_000  # characters; the longest literal that a puzzle asks for has some hundred moves
MAX_DEPTH = 8
MAX_DIGITS = 18

PLAIN = re.compile(r"""(?:[\s\[\](){},:+0-9.-]|'[^'\\\n]*+'|"[^"\\\n]*+")*+""")
CALL = re.compile(r"[\])}]\s*+[\[({]")  # a call or an index: no literal, and a chain of them runs deep
WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
DIGITS = re.compile(rf"[0-9]{{1,{MAX_DIGITS}}}")
DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,18})?")
FIRST_LIST = re.compile(r"\[\s*+([0-9]++(?:\s*+,\s*+[0-9]++)*+)\s*+\]")
FIRST_SIGNED_LIST = re.compile(r"\[\s*+((?:-?[0-9]++(?:\s*+,\s*+-?[0-9]++)*+)?)\s*+\]")
PAIR = re.compile(r"\(\s*+([0-9]++)\s*+,\s*+([0-9]++)\s*+\)")


def literal(text: str) -> Any:
    """The value of a Python literal (numbers, texts without escapes, lists, tuples, sets), or ``None``."""
    stripped = text.strip()
    if len(stripped) > MAX_LITERAL or not PLAIN.fullmatch(stripped) or CALL.search(stripped):
        return None
    if _depth(stripped) > MAX_DEPTH:
        return None
    try:
        return ast.literal_eval(stripped)
    except (ValueError, SyntaxError, TypeError, MemoryError):
        return None


def _depth(text: str) -> int:
    """How deep brackets and signs can nest: an upper bound that costs one pass."""
    depth = deepest = signs = 0
    for character in text:
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == ",":
            signs = 0
        elif character in "+-":
            signs += 1
        deepest = max(deepest, depth + signs)
    return deepest


def number_rows(text: str, separator: str | None, pattern: re.Pattern[str] = DIGITS) -> Grid | None:
    """Lines of whole numbers; ``None`` if any other text stands among them."""
    rows = [[cell.strip() for cell in line.split(separator)] for line in text.strip().splitlines()]
    if not rows or not all(pattern.fullmatch(cell) for row in rows for cell in row):
        return None
    return [[int(cell) for cell in row] for row in rows]


def list_grid(text: str) -> Grid | None:
    """A Python list of lists of whole numbers."""
    found = literal(text)
    if not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        return None
    return found if all(type(cell) is int for row in found for cell in row) else None


def grid(text: str) -> Grid | None:
    """Rows of digits, separated by blanks or by commas, or a Python list of lists (only that may hold signs)."""
    for found in (number_rows(text, None), number_rows(text, ","), list_grid(text)):
        if found is not None:
            return found
    return None


def any_grid(text: str) -> Grid | None:
    """Read a grid of numbers that may hold signs, bars between cells and idle brackets; ``None`` for other text."""
    found = grid(text)
    if found is not None:
        return found
    return number_rows(re.sub(r"[\[\]|,]", " ", text), None, WHOLE)


def first_list(text: str) -> list[int] | None:
    """The first list of digits in square brackets; an empty list or one with signs is none."""
    return _list(FIRST_LIST.search(text))


def first_signed_list(text: str) -> list[int] | None:
    """The first list of whole numbers in square brackets, empty ones included."""
    return _list(FIRST_SIGNED_LIST.search(text))


def _list(found: re.Match[str] | None) -> list[int] | None:
    if found is None:
        return None
    items = [item.strip() for item in found.group(1).split(",")] if found.group(1) else []
    return [int(item) for item in items] if all(len(item) <= MAX_DIGITS for item in items) else None


def pairs(text: str) -> list[Cell]:
    """All coordinates ``(i, j)`` of digits, in order; one too long for a coordinate is off every board."""
    return [(_coordinate(row), _coordinate(column)) for row, column in PAIR.findall(text)]


def _coordinate(digits: str) -> int:
    return int(digits) if len(digits) <= MAX_DIGITS else 10**MAX_DIGITS


def coordinates(text: str) -> list[Cell] | None:
    """A Python list, tuple or set of pairs of whole numbers, in order."""
    found = literal(text)
    if not isinstance(found, list | tuple | set):
        return None
    cells = [tuple(item) for item in found if isinstance(item, list | tuple)]
    if len(cells) != len(found) or not all(
        len(cell) == 2 and all(type(part) is int for part in cell) for cell in cells
    ):
        return None
    return [(cell[0], cell[1]) for cell in cells]


def texts(text: str) -> list[str] | str | None:
    """A Python list of texts, or one text in quotation marks."""
    found = literal(text)
    if isinstance(found, str):
        return found
    if not isinstance(found, list | tuple) or not all(isinstance(item, str) for item in found):
        return None
    return list(found)


def board(text: str) -> list[str]:
    """Lines of single characters, blanks between them left out, empty lines too."""
    lines = [line.replace(" ", "") for line in text.split("\n")]
    return [line for line in lines if line]


def unquoted(text: str) -> str:
    """The text without blanks and quotation marks around it."""
    return text.strip().strip("\"'").strip()
