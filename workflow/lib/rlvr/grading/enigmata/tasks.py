"""Which verifier each task has: one line per task.

SOURCE of ceilings and faults: the verdicts recorded from the released verifiers (commit b9c6f59) on puzzles of the
released generators. A ceiling is the share of puzzles on which a solver scores that keeps the prompt's rules, writes
the format asked for and picks freely among right answers; where the share differs by level, the ceiling is the largest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rlvr.grading.enigmata import (
    arithmetic,
    boards,
    cell_puzzles,
    clues,
    extract,
    grids,
    moves,
    noughts,
    sequences,
    words,
)
from rlvr.grading.enigmata.puzzle import Puzzle

Check = Callable[[str, Any], bool | None]
EVALUATED = ("exploit_eval_code", "exploit_eval_comment")


@dataclass(frozen=True)
class Task:
    """How one task's answers are judged.

    Attributes:
        family: What kind of answer it asks for.
        load: Takes from a puzzle what its checks need; a ``ValueError`` refuses the puzzle.
        official: The released verdict: true, false, or ``None`` for text that cannot be read.
        rules: The verdict of the prompt's own rules.
        extract: Where the answer stands in a completion.
        replay: Writes the stored answer as the prompt asks for it; ``None`` where what is stored is not an answer.
        ceiling: Largest share that a perfect, rule-abiding solver can score in official mode.
        why: What the ceiling or the difference between the modes comes from.
        diverges: Kinds of recorded verdicts that are declared not to be followed: code that the release evaluates.
        stores_answer: Whether what is stored is an answer.
        compares: Whether the official check compares with the stored answer instead of checking the rules.
    """

    family: str
    load: Callable[[Puzzle], Any]
    official: Check
    rules: Check
    extract: Callable[[str], str | None] = extract.last_block
    replay: Callable[[Puzzle], str | None] = lambda puzzle: str(puzzle.answer)
    ceiling: float = 1.0
    why: str = ""
    diverges: tuple[str, ...] = ()
    compares: bool = False
    stores_answer: bool = True


def nothing_stored(_: Puzzle) -> str | None:
    """No answer: what is stored is the starting board."""
    return None


def _grid(puzzle: Puzzle) -> str:
    return grids.write_grid(grids.load_stored_grid(puzzle))


def _cells(puzzle: Puzzle) -> str:
    return cell_puzzles.write_cells([(i, j) for i, j in puzzle.answer])


def _fenceless_board(puzzle: Puzzle) -> str:
    text = puzzle.answer_text
    return text if extract.BOARD_OPEN in text else f"{extract.BOARD_OPEN}\n{text}\n{extract.BOARD_CLOSE}"


def _crossword(puzzle: Puzzle) -> str:
    return words.write_crossword(words.load_crossword(puzzle))


def _operations(puzzle: Puzzle) -> str:
    stack = sequences.load_stack(puzzle)
    return f'"{puzzle.answer_text}"' if stack.said_to_be_impossible else sequences.write_operations(stack)


def _expression(puzzle: Puzzle, value: int | None) -> str | None:
    return arithmetic.write_expression(arithmetic.load_target(puzzle, value), puzzle.answer_text)


def _compare(family: str, load: Callable[[Puzzle], Any], check: Check, **changes: Any) -> Task:
    """A task whose two modes are one comparison with the stored answer."""
    return Task(family, load, check, check, **{"compares": True, **changes})


_SUDOKU = Task("grids", grids.load_sudoku, grids.official_sudoku, grids.rules_sudoku, replay=_grid)

TASKS: dict[str, Task] = {
    "binario": Task(
        "grids", grids.load_binario, grids.official_binario, grids.rules_binario,
        why="official also takes digits other than 0 and 1",
    ),
    "sudoku": _SUDOKU,
    "sudoku2": _SUDOKU,
    "magic_square": Task(
        "grids", grids.load_magic, grids.official_magic, grids.rules_magic, replay=_grid,
        ceiling=0.55, why="negative numbers cannot be read in the format asked for; other solutions do not count",
        compares=True,
    ),
    "skyscraper": Task(
        "grids", clues.load_clues, partial(clues.official_skyscraper, clue=len),
        partial(clues.rules_skyscraper, clue=len), replay=_grid, why="official does not ask for a Latin square",
    ),
    "sum_skyscraper": Task(
        "grids", clues.load_clues, partial(clues.official_skyscraper, clue=sum),
        partial(clues.rules_skyscraper, clue=sum), replay=_grid, why="official does not ask for a Latin square",
    ),
    "slant": Task(
        "grids", clues.load_slant, clues.official_slant, clues.rules_slant, replay=_grid,
        ceiling=0.03, why="the stored solution of nearly every puzzle closes a loop, against rule 4", compares=True,
    ),
    "arc_agi": _compare("grids", grids.load_stored_grid, grids.check_stored_grid, replay=_grid),
    "symbolic_hard": _compare(
        "grids", grids.load_stored_grid, grids.check_stored_grid, extract=extract.last_fenced, replay=_grid
    ),
    "campsite": Task(
        "boards", boards.load_campsite, boards.official_campsite, boards.rules_campsite, extract.last_board,
        _fenceless_board, why="official asks neither for corners nor for a tree of one's own, and lets trees be added",
    ),
    "star_battle": Task(
        "boards", boards.load_stars, boards.official_stars, boards.rules_stars, extract.last_board, _fenceless_board,
        compares=True,
    ),
    "tic_tac_toe": Task(
        "boards", noughts.load_turn, noughts.official_turn, noughts.rules_turn,
        replay=lambda puzzle: noughts.write_position(puzzle.answer),
        ceiling=0.84, why="official wants a win or a block at once where another move is as good",
    ),
    "hitori": Task(
        "cells", cell_puzzles.load_hitori, cell_puzzles.official_hitori, cell_puzzles.rules_hitori, replay=_cells,
        diverges=EVALUATED,
        compares=True,
    ),
    "kakurasu": Task(
        "cells", cell_puzzles.load_kakurasu, cell_puzzles.official_kakurasu, cell_puzzles.rules_kakurasu, replay=_cells,
        diverges=EVALUATED, compares=True,
    ),
    "light_up": Task(
        "cells", cell_puzzles.load_light_up, cell_puzzles.official_light_up, cell_puzzles.rules_light_up, replay=_cells,
        ceiling=0.01, why="nearly every puzzle has several solutions and one is stored", diverges=EVALUATED,
        compares=True,
    ),
    "minesweeper": Task(
        "cells", cell_puzzles.load_mines, cell_puzzles.official_mines, cell_puzzles.rules_mines, replay=_cells,
        ceiling=0.44, why="what follows from several numbers together is not stored", diverges=EVALUATED,
        compares=True,
    ),
    "eight_puzzle": Task(
        "moves", partial(moves.load_square, size=3, first=0), moves.official_slides, moves.rules_slides,
        replay=nothing_stored, stores_answer=False, why="official moves the blank, the prompt the tiles",
    ),
    "fifteen_puzzle": Task(
        "moves", partial(moves.load_square, size=4, first=0), moves.official_slides, moves.rules_slides,
        replay=nothing_stored, stores_answer=False, ceiling=0.5,
        why="half of the boards cannot be solved and a refusal never scores",
    ),
    "nine_puzzle": Task(
        "moves", partial(moves.load_square, size=3, first=1), moves.official_shifts, moves.rules_shifts,
        replay=nothing_stored, stores_answer=False, ceiling=0.58,
        why="42 % of the boards cannot be solved and a refusal never scores",
        diverges=EVALUATED,
    ),
    "sixteen_puzzle": Task(
        "moves", partial(moves.load_square, size=4, first=1), moves.official_shifts, moves.rules_shifts,
        replay=nothing_stored, stores_answer=False, diverges=EVALUATED,
    ),
    "twiddle": Task(
        "moves", moves.load_twiddle, moves.check_twiddle, moves.check_twiddle,
        replay=lambda puzzle: moves.write_turns(puzzle.answer),
    ),
    "maze": Task(
        "moves", moves.load_maze, moves.official_maze, moves.rules_maze, why="official also takes a hedged refusal",
    ),
    "car_painting": Task(
        "sequences", sequences.load_cars, sequences.official_cars, sequences.rules_cars,
        ceiling=0.9, why="the stored number of switches is not always the smallest, and a better order does not score",
    ),
    "stack_permutation": Task(
        "sequences", sequences.load_stack, sequences.official_stack, sequences.rules_stack, replay=_operations,
        diverges=EVALUATED,
    ),
    "hamiltonian_cycle": Task(
        "sequences", sequences.load_graph, sequences.official_cycle, sequences.rules_cycle,
        ceiling=0.47, why="NO never scores",
    ),
    "hamiltonian_path": Task(
        "sequences", sequences.load_graph, sequences.official_path, sequences.rules_path, why="NO never scores",
    ),
    "big_bench_symbolic": Task(
        "sequences", sequences.load_list, sequences.official_list, sequences.rules_list,
        why="empty lists and negative numbers cannot be read", compares=True,
    ),
    "countdown": Task(
        "arithmetic", partial(arithmetic.load_target, value=None), arithmetic.official_target,
        partial(arithmetic.rules_target, whole=True), replay=partial(_expression, value=None),
        why="official lets intermediate results be negative or broken", diverges=EVALUATED,
    ),
    "game24": Task(
        "arithmetic", partial(arithmetic.load_target, value=24), arithmetic.official_target,
        partial(arithmetic.rules_target, whole=False), replay=partial(_expression, value=24),
        why="official also takes a hedged refusal", diverges=EVALUATED,
    ),
    "crypto_KKA": _compare("words", words.load_text, words.check_words),
    "crypto_KPA": _compare(
        "words", words.load_text, words.check_words,
        why="the generator's Vigenere texts do not decrypt to the stored ones; the release should hold Caesar only",
    ),
    "FOLIO": _compare("words", words.load_text, words.check_label),
    "knights_and_knaves": _compare("words", words.load_text, words.check_quoted_label),
    "checkmate_in_one": Task(
        "words", words.load_mate, words.official_mate, words.rules_mate, why="a second mating move does not score",
        compares=True,
    ),
    "natural_language_navigation": Task(
        "words", words.load_town, words.official_way, words.rules_way,
        ceiling=0.94, why="3 to 11 % of the stored ways are not shortest, 6 % have another of the same length",
        compares=True,
    ),
    "zebra_logic": Task(
        "words", words.load_table, words.official_table, words.rules_table, extract.last_table,
        why="official lets any rows be added", compares=True,
    ),
    "full_crosswords": _compare("words", words.load_crossword, words.check_crossword, replay=_crossword),
}  # fmt: skip
