"""Grids with clues around them or at their crossings: skyscrapers and slants."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rlvr.grading.enigmata import parse
from rlvr.grading.enigmata.grids import has_shape, keeps, transpose
from rlvr.grading.enigmata.puzzle import Grid, Puzzle, as_grid, as_integers

# Skyscrapers


@dataclass(frozen=True)
class Clues:
    """Clues at the four sides of a square of buildings: how many of them are seen from there, line by line."""

    top: list[int]
    left: list[int]
    right: list[int]
    bottom: list[int]


def load_clues(puzzle: Puzzle) -> Clues:
    """The four lists of clues, all of one length."""
    question = puzzle.value("question")
    if not isinstance(question, dict):
        raise ValueError("the question holds no clues")
    clues = Clues(*(as_integers(question.get(side)) for side in ("top", "left", "right", "bottom")))
    if not clues.top or len({len(side) for side in vars(clues).values()}) != 1:
        raise ValueError("the four sides have different numbers of clues")
    return clues


def seen(line: Sequence[int]) -> list[int]:
    """Heights of the buildings that are seen from the line's start."""
    heights, highest = [], 0
    for height in line:
        if height > highest:
            heights.append(height)
            highest = height
    return heights


def official_skyscraper(
    text: str, clues: Clues, clue: Callable[[list[int]], int], read: Callable[[str], Grid | None] = parse.grid
) -> bool | None:
    """Every clue holds; whether numbers repeat is not asked."""
    grid = read(text)
    if grid is None:
        return None
    size = len(clues.top)
    if not has_shape(grid, size, size):
        return False
    sides = {"left": grid, "top": transpose(grid)}
    sides |= {"right": [row[::-1] for row in grid], "bottom": [column[::-1] for column in sides["top"]]}
    return all([clue(seen(line)) for line in lines] == getattr(clues, side) for side, lines in sides.items())


def rules_skyscraper(text: str, clues: Clues, clue: Callable[[list[int]], int]) -> bool | None:
    """Every clue holds in a Latin square of 1 to n."""
    verdict = official_skyscraper(text, clues, clue, parse.any_grid)
    grid = parse.any_grid(text) if verdict else None
    if grid is None:
        return verdict
    numbers = list(range(1, len(grid) + 1))
    return all(sorted(line) == numbers for line in grid + transpose(grid))


# Slant


@dataclass(frozen=True)
class Slant:
    r"""Stored solution (1 is ``/``, -1 is ``\``) and the clue at every crossing (``None``: none)."""

    gold: Grid
    clues: list[list[int | None]]


def load_slant(puzzle: Puzzle) -> Slant:
    """Solution and clues; the clues' grid is one larger than the solution's."""
    gold = as_grid(puzzle.answer)
    rows = [line.split() for line in puzzle.text("question").strip().splitlines()]
    clues = [[None if cell == "." else int(cell) for cell in row] for row in rows]
    if len(clues) != len(gold) + 1 or any(len(row) != len(gold[0]) + 1 for row in clues):
        raise ValueError("the clues do not fit the stored answer")
    return Slant(gold, clues)


def read_slant(text: str) -> Grid | None:
    """Rows of numbers, decimals cut to whole numbers, or a Python list of lists."""
    rows = [line.split() for line in text.strip().splitlines()]
    if rows and all(parse.DECIMAL.fullmatch(cell) for row in rows for cell in row):
        return [[int(float(cell)) for cell in row] for row in rows]
    return parse.list_grid(text)


def official_slant(text: str, slant: Slant) -> bool | None:
    """Equal to the stored solution."""
    grid = read_slant(text)
    return None if grid is None else grid == slant.gold


def rules_slant(text: str, slant: Slant) -> bool | None:
    """One diagonal per cell, every clue holds, no closed loop."""
    grid = read_slant(text)
    if grid is None:
        return None
    rows, columns = len(slant.gold), len(slant.gold[0])
    if not has_shape(grid, rows, columns) or not {cell for row in grid for cell in row} <= {1, -1}:
        return False
    ends = [
        ((i, j + 1), (i + 1, j)) if grid[i][j] == 1 else ((i, j), (i + 1, j + 1))
        for i in range(rows)
        for j in range(columns)
    ]
    met = [[sum((i, j) in pair for pair in ends) for j in range(columns + 1)] for i in range(rows + 1)]
    return keeps(met, slant.clues) and not _has_loop(ends)


def _has_loop(edges: Sequence[tuple[Any, Any]]) -> bool:
    """Whether edges close a cycle: a union of sets in which an edge joins two points of one set."""
    parent: dict[Any, Any] = {}

    def root(point: Any) -> Any:
        while (above := parent.setdefault(point, point)) != point:
            parent[point] = parent[above]
            point = parent[point]
        return point

    for first, second in edges:
        one, other = root(first), root(second)
        if one == other:
            return True
        parent[one] = other
    return False
