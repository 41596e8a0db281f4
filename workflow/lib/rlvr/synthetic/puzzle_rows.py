"""Small puzzles in the released rows of Enigmata: seven of its tasks, from five families, small enough for a laptop.

Answers have at most twelve characters, so that a character-level model writes them, fences included, in 24 tokens. The
records are those of the release; the prompts are short ones of our own. Rows for training and rows for evaluation hold
different prompts.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd

LEVELS = ("easy", "medium", "hard")
HELD_OUT_SHARE = 4  # one prompt in four is for evaluation only
DRAFT = 2  # characters of the answer that a solution names while thinking
OPERATIONS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "Reverse": lambda items: items[::-1],
    "Sort": sorted,
    "Rotate": lambda items: items[1:] + items[:1],
}
GRID_OPERATIONS: dict[str, Callable[[list[list[int]]], list[list[int]]]] = {
    "Mirror": lambda grid: [row[::-1] for row in grid],
    "Flip": lambda grid: grid[::-1],
    "Transpose": lambda grid: [list(column) for column in zip(*grid, strict=True)],
}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Drawn:
    """One puzzle.

    Attributes:
        task: Name of the task.
        level: Index into ``LEVELS``.
        prompt: The question, a few words of our own.
        answer: What the release stores as the answer.
        record: What the record holds beside answer, task and level.
        response: A right answer in the asked format, without its fences.
    """

    task: str
    level: int
    prompt: str
    answer: Any
    record: dict[str, Any]
    response: str

    @property
    def draft(self) -> str:
        """The reasoning of a solution: letters and digits of its response, up to ``DRAFT`` characters."""
        return "".join(filter(str.isalnum, self.response))[:DRAFT]

    @property
    def held_out(self) -> bool:
        """Whether the prompt belongs to the evaluation rows; the same for equal prompts."""
        return crc32(self.prompt.encode()) % HELD_OUT_SHARE == 0


def draw_puzzle(rng: np.random.Generator) -> Drawn:
    """A puzzle with task and level drawn uniformly."""
    level = int(rng.integers(len(LEVELS)))
    return DRAWERS[str(rng.choice(list(DRAWERS)))](level, rng)


def _binario(level: int, rng: np.random.Generator) -> Drawn:
    """A 2x2 grid with one, two or three blanks; one given cell decides it."""
    first = int(rng.integers(2))
    cells = [first, 1 - first, 1 - first, first]
    blank = rng.choice(4, size=level + 1, replace=False)
    question = _lines([["_" if 2 * i + j in blank else cells[2 * i + j] for j in range(2)] for i in range(2)])
    answer = _lines([cells[:2], cells[2:]])
    return Drawn("binario", level, f"Binario:\n{question}", answer, {"question": question}, answer)


def _symbolic_grid(level: int, rng: np.random.Generator) -> Drawn:
    """A 2x2 grid of digits that is mirrored, flipped or transposed."""
    name = list(GRID_OPERATIONS)[level]
    grid = rng.integers(1, 10, size=(2, 2)).tolist()
    answer = _lines(GRID_OPERATIONS[name](grid))
    return Drawn("symbolic_hard", level, f"{name}:\n{_lines(grid)}", answer, {"question": _lines(grid)}, answer)


def _symbolic_list(level: int, rng: np.random.Generator) -> Drawn:
    """A list of two to four digits that is reversed, sorted or rotated."""
    name = str(rng.choice(list(OPERATIONS)))
    items = rng.integers(1, 10, size=level + 2).tolist()
    answer = OPERATIONS[name](items)
    question = f"{name} {_compact(items)}"
    return Drawn("big_bench_symbolic", level, question, answer, {"question": question}, _compact(answer))


def _path(level: int, rng: np.random.Generator) -> Drawn:
    """A graph of three or four vertices with a path through all of them; the hard ones have a surplus edge."""
    size = 3 if level == 0 else 4
    path = rng.permutation(size).tolist()
    edges = list(pairwise(path))
    surplus = [pair for pair in permutations(range(size), 2) if pair not in edges and pair[::-1] not in edges]
    edges += [surplus[int(rng.integers(len(surplus)))]] if level == 2 else []
    shown = [edges[i][:: 1 if rng.random() < 0.5 else -1] for i in rng.permutation(len(edges))]
    question = "\n".join([str(size), *(f"{near} {far}" for near, far in shown)])
    return Drawn("hamiltonian_path", level, f"Path:\n{question}", path, {"question": question}, _compact(path))


def _twiddle(level: int, rng: np.random.Generator) -> Drawn:
    """A 3x3 board that one or two quarter turns put in order."""
    turns = [(int(i), int(j)) for i, j in rng.integers(2, size=(1 if level == 0 else 2, 2))]
    board = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    for i, j in reversed(turns):  # undone by a turn the other way
        (a, b), (c, d) = board[i][j : j + 2], board[i + 1][j : j + 2]
        board[i][j : j + 2], board[i + 1][j : j + 2] = [c, a], [d, b]
    response = "->".join(f"({i},{j})" for i, j in turns)
    answer, prompt = [list(turn) for turn in turns], f"Twiddle:\n{_lines(board)}"
    return Drawn("twiddle", level, prompt, answer, {"question": board, "rotations": len(turns)}, response)


def _countdown(level: int, rng: np.random.Generator) -> Drawn:
    """Two or three numbers and a target, reached by sums and products of positive whole numbers from the left."""
    while True:
        numbers = rng.integers(1, 10, size=2 if level == 0 else 3).tolist()
        signs = rng.choice(list("+-*") if level == 2 else list("+-"), size=len(numbers) - 1).tolist()
        expression = "".join(f"{sign}{number}" for sign, number in zip(["", *signs], numbers, strict=True))
        value = _value(numbers, signs)
        if value is not None:
            break
    shown = [numbers[i] for i in rng.permutation(len(numbers))]
    prompt = f"Make {value} of {' '.join(map(str, shown))}"
    record = {"question": shown, "target": value}
    return Drawn("countdown", level, prompt, f"The answer is: {expression} = {value}", record, expression)


def _value(numbers: list[int], signs: list[str]) -> int | None:
    """Value of an expression with products before sums; ``None`` if an intermediate one is not positive."""
    terms = [numbers[0]]
    for sign, number in zip(signs, numbers[1:], strict=True):
        if sign == "*":
            terms[-1] *= number
        else:
            terms.append(number if sign == "+" else -number)
    sums = [sum(terms[: place + 1]) for place in range(len(terms))]
    return sums[-1] if min(sums) > 0 else None


def _caesar(level: int, rng: np.random.Generator) -> Drawn:
    """Two to four letters, each moved on by one to three."""
    shift = int(rng.integers(1, level + 2))
    places = rng.integers(len(LETTERS), size=level + 2)
    plain = "".join(LETTERS[place] for place in places)
    secret = "".join(LETTERS[(place + shift) % len(LETTERS)] for place in places)
    record = {
        "question": f"Ciphertext: {secret}\n\nEncryption Method: {{'method': 'Caesar Cipher', 'shift': {shift}}}",
        "rationale": {"method": "Caesar Cipher", "shift": shift},
    }
    return Drawn("crypto_KKA", level, f"Caesar {shift}: {secret}", plain, record, plain)


DRAWERS: dict[str, Callable[[int, np.random.Generator], Drawn]] = {
    "big_bench_symbolic": _symbolic_list,
    "binario": _binario,
    "countdown": _countdown,
    "crypto_KKA": _caesar,
    "hamiltonian_path": _path,
    "symbolic_hard": _symbolic_grid,
    "twiddle": _twiddle,
}


def puzzle_rows(rows: int, rng: np.random.Generator, held_out: bool) -> pd.DataFrame:
    """Rows in the released columns; ``answer`` and ``meta`` as JSON text where they are no text.

    Args:
        rows: Number of rows.
        rng: The only source of randomness.
        held_out: Whether rows for evaluation or for training are wanted: no prompt is in both.
    """
    drawn: list[Drawn] = []
    while len(drawn) < rows:
        puzzle = draw_puzzle(rng)
        if puzzle.held_out == held_out:
            drawn.append(puzzle)
    return pd.DataFrame([_row(puzzle, index) for index, puzzle in enumerate(drawn)])


def _row(puzzle: Drawn, index: int) -> dict[str, str]:
    level = LEVELS[puzzle.level]
    stated = {"answer": puzzle.answer, "rationale": "", "split": "train", "language": "en"}
    about = {"id": f"{puzzle.task}_{level}_{index}", "difficulty_level": level, "dataset_name": puzzle.task}
    return {
        "prompt": puzzle.prompt,
        "answer": puzzle.answer if isinstance(puzzle.answer, str) else json.dumps(puzzle.answer),
        "task_name": puzzle.task,
        "ability": "logic_puzzle",
        "language": "en",
        "meta": json.dumps({**stated, **about, **puzzle.record}),
        "difficulty": level,
    }


def _lines(grid: list[list[Any]]) -> str:
    return "\n".join(" ".join(map(str, row)) for row in grid)


def _compact(items: list[int]) -> str:
    return json.dumps(items, separators=(",", ":"))
