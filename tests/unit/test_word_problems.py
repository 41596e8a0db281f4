"""Arithmetic in English: answers are right, levels are what they say, sources are readable."""

import re

import numpy as np
import pytest

from rlvr.core.seeds import make_rng
from rlvr.data.readers import read_problems
from rlvr.synthetic.sources import synthetic_rows
from rlvr.synthetic.word_problems import BARE, LARGEST, STORIED, TABLES, draw_word_problem

LEVELS = (*BARE, *STORIED)
STEP = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")


def calculate(a, sign, b):
    return {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[sign]


@pytest.mark.parametrize("level", LEVELS)
def test_steps_are_right_use_the_numbers_of_the_question_and_end_in_the_answer(level):
    for seed in range(300):
        problem = draw_word_problem(level, np.random.default_rng(seed))
        asked, known = [int(number) for number in re.findall(r"\d+", problem.question)], set()
        for step in problem.steps:
            a, sign, b, result = (STEP.fullmatch(step)[group] for group in (1, 2, 3, 4))
            assert calculate(int(a), sign, int(b)) == int(result)
            known.add(int(result))
            assert {int(a), int(b)} <= {*asked, *known}
        assert problem.steps[-1].endswith(f"= {problem.answer}") and problem.answer > 0
        assert len(problem.steps) == (2 if level == 5 else 1) and problem.level == level
        assert problem.question[0].isupper() and problem.question[-1] in "?."


def test_numbers_stay_within_their_level():
    for seed in range(300):
        for level, largest in LARGEST.items():
            problem = draw_word_problem(level, np.random.default_rng(seed))
            assert max(map(int, re.findall(r"\d+", problem.question))) <= largest
        product = draw_word_problem(4, np.random.default_rng(seed))
        assert max(map(int, re.findall(r"\d+", product.question))) <= TABLES**2


def test_harder_levels_take_both_signs_and_products_both_ways():
    signs = {
        level: {STEP.search(draw_word_problem(level, np.random.default_rng(seed)).steps[-1])[2] for seed in range(50)}
        for level in LEVELS
    }
    assert signs == {1: {"+", "-"}, 2: {"+", "-"}, 3: {"+", "-"}, 4: {"*", "/"}, 5: {"+", "-"}}


@pytest.mark.parametrize(("source", "levels"), [("sums", BARE), ("word-problems", STORIED)])
def test_rows_are_read_as_problems_with_every_level_in_its_share(source, levels):
    rows = synthetic_rows(source, 40, make_rng(0, "synthetic", source))
    problems = read_problems(rows, "word-problems", source, "d", "rows", np.arange(1, 41))
    assert problems["difficulty"].value_counts().to_dict() == {float(level): 40 / len(levels) for level in levels}
    assert problems["answer"].str.fullmatch(r"\d+").all() and set(problems["verifier"]) == {"math"}


def test_no_question_is_in_both_sources():
    asked = [
        set(synthetic_rows(name, 1000, make_rng(0, "synthetic", name))["question"])
        for name in ("sums", "word-problems")
    ]
    assert not asked[0] & asked[1] and len(asked[0]) > 400
