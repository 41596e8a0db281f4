"""Texts about one-line programs for pre-training: right and wrong ones, in a fenced block and beside it."""

import numpy as np

from rlvr.prompts import THINK_CLOSE
from rlvr.synthetic.program_rows import OPERATIONS, draw_task, write_program


def draw_program(wrong_share: float, incomplete_share: float, rng: np.random.Generator) -> tuple[str, str]:
    """A task with its test as readers write it, and a completion without its end token.

    Args:
        wrong_share: Share of completions whose program has another operation or another number.
        incomplete_share: Share of completions that break the format.
        rng: The only source of randomness.
    """
    task = draw_task(rng)
    prompt = f"{task.text}\nIt must pass these tests:\n{task.test}"
    program = spoil(task.operation, task.operand, rng) if rng.random() < wrong_share else task.program
    if rng.random() < incomplete_share:
        return prompt, break_fences(program, rng)
    return prompt, f"{THINK_CLOSE}```\n{program}\n```"


def spoil(operation: str, operand: int, rng: np.random.Generator) -> str:
    """The program with another operation or another number: each wrong one is rarer than the right one."""
    if rng.random() < 0.5:
        return write_program(str(rng.choice([sign for sign in OPERATIONS if sign != operation])), operand)
    return write_program(operation, int(rng.choice([number for number in range(2, 10) if number != operand])))


def break_fences(program: str, rng: np.random.Generator) -> str:
    """A completion whose program is in no block, or in one that is never closed, which may still be graded."""
    return str(rng.choice((f"{THINK_CLOSE}{program}", f"{THINK_CLOSE}```\n{program}")))
