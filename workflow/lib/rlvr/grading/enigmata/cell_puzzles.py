"""Sets of cells: Hitori, Kakurasu, Light Up, Minesweeper."""

import re
from dataclasses import dataclass
from functools import cached_property

from rlvr.grading.enigmata import parse
from rlvr.grading.enigmata.boards import BESIDE, around
from rlvr.grading.enigmata.mines import forced_mines
from rlvr.grading.enigmata.puzzle import Cell, Grid, Puzzle, as_cells, as_grid

SUMS = re.compile(r"Row sums: \[([0-9, ]*)\]\s*Column sums: \[([0-9, ]*)\]")


def official_cells(text: str, gold: list[Cell]) -> bool | None:
    """Equal to the stored set; a cell may be named twice."""
    found = parse.coordinates(text)
    return None if found is None else set(found) == set(gold)


# Hitori


@dataclass(frozen=True)
class Hitori:
    """Stored black cells and the grid of numbers."""

    gold: list[Cell]
    grid: Grid


def load_hitori(puzzle: Puzzle) -> Hitori:
    """Stored cells and grid."""
    return Hitori(as_cells(puzzle.answer), as_grid(puzzle.value("question")))


def official_hitori(text: str, hitori: Hitori) -> bool | None:
    """Equal to the stored set."""
    return official_cells(text, hitori.gold)


def rules_hitori(text: str, hitori: Hitori) -> bool | None:
    """No number twice among the white cells of a line, no black cells side by side, white cells connected."""
    found = parse.coordinates(text)
    if found is None:
        return None
    black = set(found)
    board = {(i, j) for i, row in enumerate(hitori.grid) for j, _ in enumerate(row)}
    white = board - black
    seen = [(axis, cell[axis], hitori.grid[cell[0]][cell[1]]) for cell in white for axis in (0, 1)]
    return (
        black <= board
        and len(set(seen)) == len(seen)
        and not any(other in black for cell in black for other in around(cell, BESIDE))
        and is_connected(white)
    )


def is_connected(cells: set[Cell]) -> bool:
    """Whether all cells can be reached from one another by steps to cells beside."""
    left = set(cells)
    border = [left.pop()] if left else []
    while border:
        new = [cell for cell in around(border.pop(), BESIDE) if cell in left]
        left.difference_update(new)
        border += new
    return not left


# Kakurasu


@dataclass(frozen=True)
class Kakurasu:
    """Stored black cells, and the sums of the rows and of the columns; cells are counted from 1."""

    gold: list[Cell]
    rows: list[int]
    columns: list[int]


def load_kakurasu(puzzle: Puzzle) -> Kakurasu:
    """Stored cells, and sums as the question states them."""
    found = SUMS.search(puzzle.text("question"))
    if found is None:
        raise ValueError("the question states no sums")
    rows, columns = ([int(item) for item in part.split(",")] for part in found.groups())
    return Kakurasu(as_cells(puzzle.answer), rows, columns)


def official_kakurasu(text: str, kakurasu: Kakurasu) -> bool | None:
    """Equal to the stored set."""
    return official_cells(text, kakurasu.gold)


def rules_kakurasu(text: str, kakurasu: Kakurasu) -> bool | None:
    """The black cells' places add up to every row's and every column's sum."""
    found = parse.coordinates(text)
    if found is None:
        return None
    black = set(found)
    rows, columns = range(1, len(kakurasu.rows) + 1), range(1, len(kakurasu.columns) + 1)
    return (
        all(i in rows and j in columns for i, j in black)
        and [sum(j for i, j in black if i == row) for row in rows] == kakurasu.rows
        and [sum(i for i, j in black if j == column) for column in columns] == kakurasu.columns
    )


# Light Up


@dataclass(frozen=True)
class LightUp:
    """Stored bulbs and the board: ``.`` free, ``#`` black, a digit black with a number of bulbs beside it."""

    gold: list[Cell]
    board: list[str]


def load_light_up(puzzle: Puzzle) -> LightUp:
    """Stored bulbs and board."""
    board = puzzle.text("question").strip().split("\n")
    if any(len(line) != len(board[0]) for line in board) or not set("".join(board)) <= set(".#01234"):
        raise ValueError("the question is not a rectangular board of '.', '#' and digits")
    return LightUp(as_cells(puzzle.answer), board)


def official_light_up(text: str, light_up: LightUp) -> bool | None:
    """Equal to the stored bulbs, each named once; other solutions do not count."""
    found = parse.coordinates(text)
    return None if found is None else sorted(found) == sorted(light_up.gold)


def rules_light_up(text: str, light_up: LightUp) -> bool | None:
    """Bulbs on free cells, every free cell lit, no bulb lit by another, every number met."""
    found = parse.coordinates(text)
    if found is None:
        return None
    bulbs = set(found)
    cells = {(i, j): mark for i, line in enumerate(light_up.board) for j, mark in enumerate(line)}
    free = {cell for cell, mark in cells.items() if mark == "."}
    if not bulbs <= free:
        return False
    lit = [cell for bulb in bulbs for step in BESIDE for cell in _beam(bulb, step, free)]
    met = all(
        int(mark) == sum(other in bulbs for other in around(cell, BESIDE))
        for cell, mark in cells.items()
        if mark.isdigit()
    )
    return met and bulbs.isdisjoint(lit) and bulbs.union(lit) == free


def _beam(bulb: Cell, step: Cell, free: set[Cell]) -> list[Cell]:
    cells = list[Cell]()
    cell = (bulb[0] + step[0], bulb[1] + step[1])
    while cell in free:
        cells.append(cell)
        cell = (cell[0] + step[0], cell[1] + step[1])
    return cells


# Minesweeper


@dataclass(frozen=True)
class Mines:
    """Stored mines and the grid: -2 unknown, otherwise the number of mines around."""

    gold: list[Cell]
    grid: Grid

    @cached_property
    def forced(self) -> frozenset[Cell] | None:
        """Cells that hold a mine whatever the rest does; ``None`` if the search was given up."""
        return forced_mines(self.grid)


def load_mines(puzzle: Puzzle) -> Mines:
    """Stored mines and grid."""
    return Mines(as_cells(puzzle.answer), as_grid(puzzle.value("question")))


def official_mines(text: str, mines: Mines) -> bool | None:
    """Equal to the stored mines, which are those that follow from one number at a time."""
    return official_cells(text, mines.gold)


def rules_mines(text: str, mines: Mines) -> bool | None:
    """All mines that follow from all numbers together."""
    found = parse.coordinates(text)
    return None if found is None else set(found) == (set(mines.gold) if mines.forced is None else mines.forced)


def write_cells(gold: list[Cell]) -> str:
    """Cells as the prompts ask for them."""
    return "[" + ", ".join(f"({i}, {j})" for i, j in gold) + "]"
