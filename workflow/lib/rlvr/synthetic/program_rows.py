"""Programming tasks in the released columns of MBPP, small enough for a laptop: one operation with a one-digit number.

A prompt with its test has at most 64 tokens and a completion with its fences 24, so that a character-level model reads
and writes them within the limits of scale tiny. There is one test per task, which a constant passes, too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "%": lambda left, right: left % right,
}


@dataclass(frozen=True)
class Task:
    """A function of one number.

    Attributes:
        operation: A key of ``OPERATIONS``.
        operand: What stands on its right, 2 to 9.
        argument: What the test calls it with, 2 to 9.
    """

    operation: str
    operand: int
    argument: int

    @property
    def text(self) -> str:
        """The task in words that fit the limit."""
        return f"{self.operation}{self.operand}"

    @property
    def test(self) -> str:
        """The test that a solution must pass."""
        return f"assert f({self.argument})=={OPERATIONS[self.operation](self.argument, self.operand)}"

    @property
    def program(self) -> str:
        """The reference solution."""
        return write_program(self.operation, self.operand)


def write_program(operation: str, operand: int) -> str:
    """A solution with this operation and number."""
    return f"f=lambda x:x{operation}{operand}"


def draw_task(rng: np.random.Generator) -> Task:
    """A task, uniformly."""
    return Task(str(rng.choice(list(OPERATIONS))), int(rng.integers(2, 10)), int(rng.integers(2, 10)))


def mbpp_rows(rows: int, rng: np.random.Generator, held_out: bool) -> pd.DataFrame:
    """Tasks in the columns of MBPP, each once; those for evaluation differ from those for training.

    Args:
        rows: At most so many; there are 256 tasks, a quarter of them held out.
        rng: Decides their order.
        held_out: Whether they are the held-out ones.
    """
    every = [Task(sign, right, left) for sign in OPERATIONS for right in range(2, 10) for left in range(2, 10)]
    chosen = [task for place, task in enumerate(every) if (place * 5 % 16 < 4) == held_out]
    order = rng.permutation(len(chosen))[:rows]
    return pd.DataFrame([_mbpp_row(number, chosen[place]) for number, place in enumerate(order, start=1)])


def _mbpp_row(number: int, task: Task) -> dict[str, object]:
    return {
        "task_id": number,
        "text": task.text,
        "code": task.program,
        "test_list": [task.test],
        "test_setup_code": "",
        "challenge_test_list": [],
    }


PROGRAM_ROWS: Mapping[str, Callable[[int, np.random.Generator], pd.DataFrame]] = {
    "mbpp": partial(mbpp_rows, held_out=False),
    "mbpp-test": partial(mbpp_rows, held_out=True),
}
