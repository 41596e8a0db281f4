"""Arithmetic problems in English of graded difficulty, with solutions as GSM8K has them.

Level 1 asks for a sum or difference of numbers up to 12 without a story, level 2 for one of numbers below 10 in a
story, level 3 for one of numbers up to 30, level 4 for a product or quotient within the tables up to 9, level 5 for a
product and then a sum or difference. Every answer is a positive whole number. Words and stories are our own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

BARE, STORIED = (1,), (2, 3, 4, 5)  # levels of the two sources, sums and word problems
PRODUCT, TWO_STEPS = 4, 5
NAMES = ("Ada", "Ben", "Cem", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jana", "Kofi", "Lena", "Mia", "Noor")
THINGS = ("apples", "books", "cards", "coins", "eggs", "keys", "pens", "plums", "shells", "stamps", "stones", "tickets")
LARGEST = {1: 12, 2: 9, 3: 30}  # number of a sum, by level
TABLES = 9  # largest factor
SUBJECTS = {1: "bare sums", 2: "small sums", 3: "sums up to 60", 4: "products and quotients", 5: "two steps"}

ASKED: dict[str, tuple[str, ...]] = {
    "+": ("What is {a} + {b}?", "Add {a} and {b}.", "How much is {a} plus {b}?"),
    "-": ("What is {a} - {b}?", "Subtract {b} from {a}.", "How much is {a} minus {b}?"),
}
STORIES: dict[str, tuple[str, ...]] = {
    "+": (
        "{name} has {a} {things} and gets {b} more. How many {things} does {name} have now?",
        "{name} finds {a} {things} in the morning and {b} in the evening. How many {things} does {name} find?",
        "There are {a} {things} on a table and {b} in a box. How many {things} are there?",
    ),
    "-": (
        "{name} has {a} {things} and gives away {b}. How many {things} are left?",
        "{name} had {a} {things} and lost {b}. How many {things} does {name} still have?",
        "There are {a} {things} on a table. {name} takes {b}. How many {things} stay on the table?",
    ),
    "*": (
        "{name} has {a} boxes with {b} {things} in each. How many {things} does {name} have?",
        "{name} buys {b} {things} on each of {a} days. How many {things} does {name} buy?",
    ),
    "/": (
        "{name} shares {a} {things} among {b} friends. How many {things} does each friend get?",
        "{name} puts {a} {things} into {b} equal rows. How many {things} are in a row?",
    ),
}
SECOND_STEPS = {
    "+": "{name} has {a} boxes with {b} {things} in each and gets {c} more. How many {things} does {name} have now?",
    "-": "{name} has {a} boxes with {b} {things} in each and gives away {c}. How many {things} are left?",
}


@dataclass(frozen=True)
class WordProblem:
    """One problem.

    Attributes:
        question: A story that ends with its question.
        steps: The calculations of a solution, e.g. ``("3 * 4 = 12", "12 + 5 = 17")``.
        answer: Result of the last one.
        level: 1 to 5.
    """

    question: str
    steps: tuple[str, ...]
    answer: int
    level: int

    @property
    def solution(self) -> str:
        """The steps, then the answer behind four signs, as GSM8K writes a solution."""
        return "\n".join([*self.steps, f"#### {self.answer}"])


def draw_word_problem(level: int, rng: np.random.Generator) -> WordProblem:
    """A problem of a level; story, names and numbers drawn uniformly.

    Args:
        level: 1 to 5.
        rng: The only source of randomness.
    """
    if level == 1:
        sign, a, b, result = _sums(LARGEST[level], rng)
        asked = str(rng.choice(ASKED[sign])).format(a=a, b=b)
        return WordProblem(asked, (f"{a} {sign} {b} = {result}",), result, level)
    who = {"name": str(rng.choice(NAMES)), "things": str(rng.choice(THINGS))}
    if level == TWO_STEPS:
        return _two_steps(who, rng)
    sign, a, b, result = _sums(LARGEST[level], rng) if level in LARGEST else _products(rng)
    story = str(rng.choice(STORIES[sign]))
    return WordProblem(story.format(a=a, b=b, **who), (f"{a} {sign} {b} = {result}",), result, level)


def _sums(largest: int, rng: np.random.Generator) -> tuple[str, int, int, int]:
    """A sum, or a difference that is above 0."""
    a, b = (int(number) for number in rng.integers(2, largest + 1, size=2))
    if a == b or rng.random() < 0.5:
        return "+", a, b, a + b
    return "-", max(a, b), min(a, b), abs(a - b)


def _products(rng: np.random.Generator) -> tuple[str, int, int, int]:
    """A product of the tables, or the quotient that undoes one."""
    a, b = (int(number) for number in rng.integers(2, TABLES + 1, size=2))
    return ("*", a, b, a * b) if rng.random() < 0.5 else ("/", a * b, b, a)


def _two_steps(who: dict[str, str], rng: np.random.Generator) -> WordProblem:
    """A product, and something that comes to it or goes from it."""
    a, b = (int(number) for number in rng.integers(2, TABLES + 1, size=2))
    sign = str(rng.choice(list(SECOND_STEPS)))
    product = a * b
    c = int(rng.integers(1, min(product - 1, TABLES) + 1))
    result = product + c if sign == "+" else product - c
    question = SECOND_STEPS[sign].format(a=a, b=b, c=c, **who)
    return WordProblem(question, (f"{a} * {b} = {product}", f"{product} {sign} {c} = {result}"), result, TWO_STEPS)


def draw_levels(rows: int, levels: Sequence[int], rng: np.random.Generator) -> list[WordProblem]:
    """Problems with their levels in turn, so that each level has its share whatever the number."""
    return [draw_word_problem(levels[index % len(levels)], rng) for index in range(rows)]


def graded_rows(rows: int, rng: np.random.Generator, levels: Sequence[int]) -> pd.DataFrame:
    """Rows with ``question``, ``answer`` (a solution that ends in ``#### <number>``), ``difficulty`` and ``topic``.

    Args:
        rows: How many; the levels come in turn.
        rng: The only source of randomness.
        levels: Which levels.
    """
    drawn = draw_levels(rows, levels, rng)
    return pd.DataFrame(
        {
            "question": [problem.question for problem in drawn],
            "answer": [problem.solution for problem in drawn],
            "difficulty": [float(problem.level) for problem in drawn],
            "topic": [SUBJECTS[problem.level] for problem in drawn],
        }
    )


WORD_ROWS: dict[str, Callable[[int, np.random.Generator], pd.DataFrame]] = {
    "sums": partial(graded_rows, levels=BARE),
    "word-problems": partial(graded_rows, levels=STORIED),
}
