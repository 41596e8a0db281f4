"""Grids of numbers: Binario, Sudoku, magic squares, and grids that must equal the stored one.

A check takes the text of an answer and what ``load`` took from the record; it says true, false, or ``None`` where the
text cannot be read. Where a task has two checks, ``official`` is what the released verifier does and ``rules`` what
the prompt asks for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isqrt

from rlvr.grading.enigmata import parse
from rlvr.grading.enigmata.puzzle import Grid, Puzzle, as_grid


def transpose(grid: Grid) -> Grid:
    """Columns as rows."""
    return [list(column) for column in zip(*grid, strict=True)]


def has_shape(grid: Grid, rows: int, columns: int) -> bool:
    """Whether a grid has that many rows, and every row that many cells."""
    return len(grid) == rows and all(len(row) == columns for row in grid)


def keeps(grid: Grid, givens: list[list[int | None]]) -> bool:
    """Whether a grid of the same shape agrees with every given cell (``None`` is a blank)."""
    pairs = (pair for row, given in zip(grid, givens, strict=True) for pair in zip(row, given, strict=True))
    return all(given is None or cell == given for cell, given in pairs)


# Binario


def load_binario(puzzle: Puzzle) -> list[list[int | None]]:
    """The given cells; ``_`` is a blank."""
    rows = [line.split() for line in puzzle.text("question").strip().splitlines()]
    if (
        not rows
        or any(len(row) != len(rows) for row in rows)
        or not {cell for row in rows for cell in row} <= set("01_")
    ):
        raise ValueError("the question is not a square of 0, 1 and _")
    return [[None if cell == "_" else int(cell) for cell in row] for row in rows]


def official_binario(text: str, givens: list[list[int | None]]) -> bool | None:
    """Givens kept, at most half zeros and ones in a line, no three alike in a row; other digits pass."""
    grid = parse.number_rows(text, None)
    if grid is None:
        return None
    size = len(givens)
    if not has_shape(grid, size, size) or not keeps(grid, givens):
        return False
    lines = grid + transpose(grid)
    balanced = all(line.count(digit) <= size // 2 for line in lines for digit in (0, 1))
    return balanced and not any(_three_alike(line) for line in lines)


def rules_binario(text: str, givens: list[list[int | None]]) -> bool | None:
    """Check a Binario grid by the released verifier's conditions and that every cell is 0 or 1; ``None`` if unread."""
    verdict = official_binario(text, givens)
    return verdict and set("".join(text.split())) <= set("01")


def _three_alike(line: Sequence[int]) -> bool:
    return any(first == second == third for first, second, third in zip(line, line[1:], line[2:], strict=False))


# Sudoku


def load_sudoku(puzzle: Puzzle) -> list[list[int | None]]:
    """The given cells of a square whose side is a square; 0 is a blank."""
    grid = as_grid(puzzle.value("question"))
    if isqrt(len(grid)) ** 2 != len(grid) or len(grid[0]) != len(grid):
        raise ValueError("the question is not a Sudoku")
    return [[cell or None for cell in row] for row in grid]


def check_sudoku(text: str, givens: list[list[int | None]], read: Callable[[str], Grid | None]) -> bool | None:
    """Any completion of the givens with every number once in each row, column and box."""
    grid = read(text)
    if grid is None:
        return None
    size = len(givens)
    if not has_shape(grid, size, size) or not keeps(grid, givens):
        return False
    side, numbers = isqrt(size), list(range(1, size + 1))
    boxes = [
        [grid[top + i][left + j] for i in range(side) for j in range(side)]
        for top in range(0, size, side)
        for left in range(0, size, side)
    ]
    return all(sorted(line) == numbers for line in [*grid, *transpose(grid), *boxes])


official_sudoku = partial(check_sudoku, read=parse.grid)
rules_sudoku = partial(check_sudoku, read=parse.any_grid)


# Magic square


@dataclass(frozen=True)
class Magic:
    """Stored solution and given cells of a magic square, both 3x3."""

    gold: Grid
    givens: list[list[int | None]]


def load_magic(puzzle: Puzzle) -> Magic:
    """Stored solution and givens; a blank is null in the record."""
    gold = as_grid(puzzle.answer, 3, 3)
    givens = puzzle.value("question")
    if not isinstance(givens, list) or not keeps(gold, givens):
        raise ValueError("the stored answer does not keep the given cells")
    return Magic(gold, givens)


def official_magic(text: str, magic: Magic) -> bool | None:
    """The first three cells of the first three rows are the stored ones; signs are read in a Python list only."""
    grid = parse.grid(text)
    if grid is None:
        return None
    return [row[:3] for row in grid[:3]] == magic.gold


def rules_magic(text: str, magic: Magic) -> bool | None:
    """Any completion with equal sums whose new numbers repeat no given one."""
    grid = parse.any_grid(text)
    if grid is None:
        return None
    if not has_shape(grid, 3, 3) or not keeps(grid, magic.givens):
        return False
    diagonals = [[grid[i][i] for i in range(3)], [grid[i][2 - i] for i in range(3)]]
    if len({sum(line) for line in [*grid, *transpose(grid), *diagonals]}) != 1:
        return False
    cells = [(i, j) for i in range(3) for j in range(3)]
    given = {magic.givens[i][j] for i, j in cells} - {None}
    return not any(grid[i][j] in given for i, j in cells if magic.givens[i][j] is None)


# Grids that must equal the stored one


def load_stored_grid(puzzle: Puzzle) -> Grid:
    """The stored grid, as a list or as rows of numbers."""
    if isinstance(puzzle.answer, list):
        return as_grid(puzzle.answer)
    grid = parse.grid(str(puzzle.answer))
    if grid is None:
        raise ValueError(f"the stored answer {puzzle.answer!r:.60} is not a grid")
    return grid


def check_stored_grid(text: str, gold: Grid, read: Callable[[str], Grid | None] = parse.grid) -> bool | None:
    """Equal to the stored grid."""
    grid = read(text)
    return None if grid is None else grid == gold


def write_grid(grid: Grid) -> str:
    """Rows of numbers separated by blanks, as the prompts ask for."""
    return "\n".join(" ".join(map(str, row)) for row in grid)
