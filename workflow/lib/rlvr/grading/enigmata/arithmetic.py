"""Expressions that must use given numbers and reach a target; read by a small parser, never evaluated as code."""

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from rlvr.grading.enigmata.puzzle import Puzzle, as_integers

TOKEN = re.compile(r"[ \t\r]*+([0-9]{1,18}(?![0-9.])|[-+*/()])")
LEADING_ZERO = re.compile(r"(?<![0-9])0+[1-9]")
SPELLINGS = str.maketrans({"\u00d7": "*", "\u00f7": "/"})
TOLERANCE = Fraction(1, 10_000)  # SOURCE: the released verifiers compare floating-point values up to 1e-4
CANNOT = "cannot form"
MAX_TOKENS = 100  # the longest puzzle gives six numbers; also bounds how deep brackets nest


@dataclass(frozen=True)
class Target:
    """Given numbers, the value to reach, and whether the stored answer says that it cannot be reached."""

    numbers: list[int]
    value: int
    said_to_be_impossible: bool


def load_target(puzzle: Puzzle, value: int | None) -> Target:
    """Numbers and target; ``value`` where the record does not state it."""
    target = puzzle.value("target") if value is None else value
    if type(target) is not int:
        raise ValueError("the target is not a whole number")
    return Target(as_integers(puzzle.value("question")), target, CANNOT in puzzle.answer_text)


def tokens(text: str) -> list[str] | None:
    """Numbers, operators and brackets of one line; ``None`` where anything else stands."""
    found, place = list[str](), 0
    stripped = text.strip().translate(SPELLINGS)
    while place < len(stripped):
        token = TOKEN.match(stripped, place)
        if token is None or len(found) == MAX_TOKENS:
            return None
        found.append(token[1])
        place = token.end()
    return found


def evaluate(expression: list[str]) -> list[Fraction] | None:
    """Every intermediate value of an expression, the result last; ``None`` if it is none or divides by zero."""
    waiting, steps = expression[::-1], list[Fraction]()
    try:
        result = _sum(waiting, steps)
    except (ValueError, ZeroDivisionError):
        return None
    return None if waiting else [*steps, result]


def _sum(waiting: list[str], steps: list[Fraction]) -> Fraction:
    value = _product(waiting, steps)
    while waiting and waiting[-1] in "+-":
        sign = 1 if waiting.pop() == "+" else -1
        value += sign * _product(waiting, steps)
        steps.append(value)
    return value


def _product(waiting: list[str], steps: list[Fraction]) -> Fraction:
    value = _factor(waiting, steps)
    while waiting and waiting[-1] in "*/":
        times = waiting.pop() == "*"
        factor = _factor(waiting, steps)
        value = value * factor if times else value / factor
        steps.append(value)
    return value


def _factor(waiting: list[str], steps: list[Fraction]) -> Fraction:
    token = waiting.pop() if waiting else ""
    if token.isdigit():
        return Fraction(int(token))
    if token == "(":
        value = _sum(waiting, steps)
        if not waiting or waiting.pop() != ")":
            raise ValueError("a bracket is not closed")
        return value
    if token in ("+", "-"):
        value = _factor(waiting, steps)
        return value if token == "+" else -value
    raise ValueError(f"no number where one is expected, but {token!r}")


def steps_of(text: str, target: Target) -> list[Fraction] | None:
    """Intermediate values of an expression over exactly the given numbers; an empty list where it uses others."""
    expression = tokens(text)
    if expression is None:
        return None
    if Counter(int(token) for token in expression if token.isdigit()) != Counter(target.numbers):
        return []
    return evaluate(expression)


def official_target(text: str, target: Target) -> bool | None:
    """An expression over exactly the given numbers with the target's value, or the refusal where it is stored.

    The release has Python evaluate the expression, which refuses 09 but not 00.
    """
    if target.said_to_be_impossible:
        return CANNOT in text
    if LEADING_ZERO.search(text):
        return None
    steps = steps_of(text, target)
    return None if steps is None else bool(steps) and abs(steps[-1] - target.value) <= TOLERANCE


def rules_target(text: str, target: Target, whole: bool) -> bool | None:
    """The target exactly, with ``whole`` by positive whole numbers only, or the refusal alone where it is stored."""
    if target.said_to_be_impossible:
        return text.strip().lower().startswith(CANNOT)
    steps = steps_of(text, target)
    if not steps:
        return None if steps is None else False
    return steps[-1] == target.value and not (whole and any(step <= 0 or step.denominator > 1 for step in steps))


def write_expression(target: Target, sentence: str) -> str | None:
    """The stored sentence as one expression.

    "The answer is: 7+2=9, (9-7)*(3*4) = 24" is a chain: each result but the last stands in a later part.
    """
    if target.said_to_be_impossible:
        return f"{CANNOT} {target.value}"
    *steps, last = sentence.partition(":")[2].split(",")
    expression = last.rpartition("=")[0].strip()
    for step in reversed(steps):
        inner, _, result = (part.strip() for part in step.partition("="))
        expression = re.sub(rf"(?<![0-9.]){re.escape(result)}(?![0-9.])", f"({inner})", expression, count=1)
    return expression or None
