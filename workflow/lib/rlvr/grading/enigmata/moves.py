"""Puzzles that are solved by moves: sliding tiles, shifted lines, turned blocks, mazes."""

import re
from dataclasses import dataclass
from itertools import pairwise

from rlvr.grading.enigmata import parse
from rlvr.grading.enigmata.boards import BESIDE, around
from rlvr.grading.enigmata.puzzle import Cell, Grid, Puzzle, as_grid

STEPS = {"L": (0, -1), "R": (0, 1), "U": (-1, 0), "D": (1, 0)}
OPPOSITE = str.maketrans("LRUD", "RLDU")
SHIFT = re.compile(r"([RC])([1-9])([0-9])")
NO_SLIDES = "No feasible move path exists."
NO_SHIFTS = "No valid sequence of moves exists."


def load_square(puzzle: Puzzle, size: int, first: int) -> Grid:
    """A board of ``size`` x ``size`` that holds ``first``, ``first`` + 1, ... once each."""
    board = as_grid(puzzle.value("question"), size, size)
    if sorted(tile for row in board for tile in row) != list(range(first, first + size * size)):
        raise ValueError("the board does not hold every tile once")
    return board


def solved(size: int) -> list[int]:
    """Tiles 1, 2, ... row by row."""
    return list(range(1, size * size + 1))


def is_odd(tiles: list[int]) -> bool:
    """Whether a permutation of 1 .. n is odd: n less its cycles is."""
    cycles, left = 0, set(tiles)
    while left:
        cycles += 1
        tile = left.pop()
        while (tile := tiles[tile - 1]) in left:
            left.remove(tile)
    return (len(tiles) - cycles) % 2 == 1


# Sliding tiles: 8 and 15; 0 is the blank


def slide(board: Grid, steps: str) -> bool:
    """Whether moving the blank by ``steps`` stays on the board and ends in order, the blank last."""
    size = len(board)
    tiles = [tile for row in board for tile in row]
    row, column = divmod(tiles.index(0), size)
    for step in steps:
        down, right = STEPS[step]
        if not (0 <= row + down < size and 0 <= column + right < size):
            return False
        here, there = row * size + column, (row + down) * size + column + right
        tiles[here], tiles[there] = tiles[there], tiles[here]
        row, column = row + down, column + right
    return tiles == [*solved(size)[:-1], 0]


def can_slide(board: Grid) -> bool:
    """Whether the tiles can be ordered: every move swaps two tiles and takes the blank one step."""
    size = len(board)
    tiles = [tile or size * size for row in board for tile in row]
    row, column = divmod(tiles.index(size * size), size)
    return is_odd(tiles) == ((2 * size - 2 - row - column) % 2 == 1)


def official_slides(text: str, board: Grid) -> bool:
    """The letters L, R, U, D move the blank; every other character is skipped, and a refusal is never right."""
    return slide(board, "".join(character for character in text if character in STEPS))


def rules_slides(text: str, board: Grid) -> bool:
    """Moves of the blank or, as the prompt has it, of the tiles; a refusal is right where there is no way.

    ASSUME: the prompt's example does not settle which of the two moves, so that either may be meant.
    """
    if NO_SLIDES.rstrip(".") in text:
        return not can_slide(board)
    steps = "".join(character for character in text if character in STEPS)
    return slide(board, steps) or slide(board, steps.translate(OPPOSITE))


# Shifted lines: 9 and 16


def shift(board: Grid, moves: list[str], most: int) -> bool | None:
    """Whether the moves order the board: ``R12`` turns row 1 two to the left, ``C31`` column 3 one up."""
    size = len(board)
    lines = [list(row) for row in board]
    for move in moves:
        found = SHIFT.fullmatch(move)
        if found is None or int(found[2]) > size or not 0 <= int(found[3]) <= most:
            return None
        line, by = int(found[2]) - 1, int(found[3]) % size
        if found[1] == "R":
            lines[line] = lines[line][by:] + lines[line][:by]
        else:
            column = [lines[(i + by) % size][line] for i in range(size)]
            for i in range(size):
                lines[i][line] = column[i]
    return [tile for row in lines for tile in row] == solved(size)


def can_shift(board: Grid) -> bool:
    """Whether shifts can order the board: a shift of three is an even permutation, one of four is odd."""
    return len(board) % 2 == 0 or not is_odd([tile for row in board for tile in row])


def official_shifts(text: str, board: Grid) -> bool | None:
    """A list of moves that orders the board; shifts by more than the size pass, a refusal never does."""
    moves = parse.texts(text)
    return shift(board, moves, 9) if isinstance(moves, list) else None


def rules_shifts(text: str, board: Grid) -> bool | None:
    """A list of moves by one step up to the size less one, or a refusal where there is no way."""
    if parse.unquoted(text) == NO_SHIFTS:
        return not can_shift(board)
    moves = parse.texts(text)
    if not isinstance(moves, list) or any(move.endswith("0") for move in moves):
        return None
    return shift(board, moves, len(board) - 1)


# Turned blocks


def load_twiddle(puzzle: Puzzle) -> Grid:
    """A square board that holds 1, 2, ... once each."""
    board = as_grid(puzzle.value("question"))
    return load_square(puzzle, len(board), 1)


def check_twiddle(text: str, board: Grid) -> bool:
    """Every coordinate turns the 2x2 block below and right of it counter-clockwise; at the end all is in order."""
    size = len(board)
    lines = [list(row) for row in board]
    for i, j in parse.pairs(text):
        if i > size - 2 or j > size - 2:
            return False
        (a, b), (c, d) = lines[i][j : j + 2], lines[i + 1][j : j + 2]
        lines[i][j : j + 2], lines[i + 1][j : j + 2] = [b, d], [a, c]
    return [tile for row in lines for tile in row] == solved(size)


def write_turns(answer: list[list[int]]) -> str:
    """Turns as the prompt asks for them."""
    return "->".join(f"({i},{j})" for i, j in answer)


# Maze


@dataclass(frozen=True)
class Maze:
    """Free cells, counted from 1; the way leads from (1, 1) to the last row's last cell."""

    free: frozenset[Cell]
    end: Cell
    said_to_be_closed: bool


def load_maze(puzzle: Puzzle) -> Maze:
    """The map: S, E and ``.`` are free, B is not."""
    rows = puzzle.value("question")
    if (
        not isinstance(rows, list)
        or not rows
        or not all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows)
    ):
        raise ValueError("the question is not a rectangular map")
    free = {(i, j) for i, row in enumerate(rows, 1) for j, cell in enumerate(row, 1) if cell != "B"}
    return Maze(frozenset(free), (len(rows), len(rows[0])), "not exist" in puzzle.answer_text)


def is_way(path: list[Cell], maze: Maze) -> bool:
    """Whether cells lead from start to end in single steps over free cells."""
    if not path or path[0] != (1, 1) or path[-1] != maze.end or not maze.free.issuperset(path):
        return False
    return all(abs(i - k) + abs(j - m) == 1 for (i, j), (k, m) in pairwise(path))


def official_maze(text: str, maze: Maze) -> bool | None:
    """A way, or the words "not exist" where the stored answer has them, whatever stands beside them."""
    if maze.said_to_be_closed:
        return "not exist" in text
    path = parse.pairs(text)
    return is_way(path, maze) if path else None


def rules_maze(text: str, maze: Maze) -> bool | None:
    """A way, or, where none exists, the words "not exist" alone."""
    path = parse.pairs(text)
    if not path:
        return "not exist" in text and not can_leave(maze)
    return is_way(path, maze)


def can_leave(maze: Maze) -> bool:
    """Whether a way exists."""
    reached = {(1, 1)} & maze.free
    border = list(reached)
    while border:
        new = [cell for cell in around(border.pop(), BESIDE) if cell in maze.free and cell not in reached]
        reached.update(new)
        border += new
    return maze.end in reached
