"""Texts about puzzles for pre-training: right and wrong answers, in the asked format and beside it."""

import numpy as np

from rlvr.prompts import THINK_CLOSE
from rlvr.synthetic.puzzle_rows import LETTERS, Drawn, draw_puzzle

DIGITS = "0123456789"


def draw_solution(wrong_share: float, incomplete_share: float, rng: np.random.Generator) -> tuple[str, str]:
    """A puzzle's prompt and a completion without its end token.

    Args:
        wrong_share: Share of completions whose answer is wrong.
        incomplete_share: Share of completions that break the format.
        rng: The only source of randomness.
    """
    puzzle = draw_puzzle(rng)
    answer = spoil(puzzle.response, rng) if rng.random() < wrong_share else puzzle.response
    if rng.random() < incomplete_share:
        return puzzle.prompt, break_fences(puzzle, answer, rng)
    return puzzle.prompt, f"{puzzle.draft}{THINK_CLOSE}```\n{answer}\n```"


def spoil(answer: str, rng: np.random.Generator) -> str:
    """The answer with one digit or letter replaced by another one."""
    place = int(rng.choice([i for i, character in enumerate(answer) if character.isalnum()]))
    others = DIGITS if answer[place].isdigit() else LETTERS
    other = rng.choice([character for character in others if character != answer[place]])
    return answer[:place] + str(other) + answer[place + 1 :]


def break_fences(puzzle: Drawn, answer: str, rng: np.random.Generator) -> str:
    """A completion that breaks one rule of the format; only the second may still be graded correct."""
    broken = (
        f"{puzzle.draft}{THINK_CLOSE}{answer}",  # no fences
        f"{THINK_CLOSE}```\n{answer}\n```",  # no thought
        f"{puzzle.draft}{THINK_CLOSE}```\n{answer}",  # never closed
    )
    return str(rng.choice(broken))
