"""Bounds of expanded sizes: closed forms, sympy as the slow obvious version, and what is kept from the parser."""

import math
import time

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.grading.mathematics.costs import choose, expansion_cost, is_hostile


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("(x+1)^{60}", 61), ("(x+y+1)^{30}", 496), ("(x+y+z+1)^{60}", 39711), ("(x+1)(x+2)(x+3)", 4),
        ("(a+b)(c+d)(f+g)", 8), ("((x+1)^2)^3", 7), ("x+y+z", 3), ("1+2+3", 1), (r"\sqrt{2}+1", 2),
    ],
)  # fmt: skip
def test_terms_of_expanded_sums(text: str, terms: int) -> None:
    assert expansion_cost(text).terms == pytest.approx(terms)


@pytest.mark.parametrize(
    ("text", "value"),
    [("2^{100}", 2**100), ("9^9", 9**9), ("2^{3^4}", 2**81), ("10^{2}10^{3}", 10**5), (r"\frac{1}{7^{20}}", 7**20)],
)
def test_digits_of_powers(text: str, value: int) -> None:
    assert expansion_cost(text).digits == pytest.approx(math.log10(value))


@pytest.mark.parametrize(("text", "value"), [("20!", 20), ("(3!)!", 6), ("(2^4)!", 16)])
def test_digits_of_factorials(text: str, value: int) -> None:
    assert expansion_cost(text).digits == pytest.approx(math.log10(math.factorial(value)), abs=2)


def test_towers_are_read_from_the_top() -> None:
    assert expansion_cost("2^3^4").digits == pytest.approx(81 * math.log10(2))
    assert expansion_cost("9^{9^{9^9}}").digits > 1e8


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(1, 4)), min_size=1, max_size=3), st.integers(1, 4))
def test_no_sum_has_more_terms_than_its_bound(factors: list[tuple[str, int]], power: int) -> None:
    text = "".join(f"({name}+{number})" for name, number in factors)
    expanded = sympy.Poly(sympy.sympify(f"({text.replace(')(', ')*(')})**{power}")).terms()
    assert len(expanded) <= expansion_cost(f"({text})^{{{power}}}").terms + 1e-9


@given(st.integers(0, 40), st.integers(0, 40))
def test_binomial_coefficients(total: int, chosen: int) -> None:
    if chosen <= total:
        assert choose(total, chosen) == pytest.approx(math.comb(total, chosen))


HOSTILE = [
    "9^{9^{9^9}}", "10^{10^9}", "9^9^9", "(10^7)!", "10000000!", r"\binom{10000000}{5000000}", "9" * 400,
    r"\sum_{k=1}^{10000000} k^k", "3^{100000}", "(" * 300 + "1" + ")" * 300, "(x+y+z+1)^{60}", "((3!)!)!!",
    r"(\sqrt{2}+\sqrt{3}+\sqrt{5}+\sqrt{7})^{50}", "e^{e^{e^{e^{e}}}}", "(1,000,000)!", "(((((2^9)^9)^9)^9)^9)^9",
    r"\begin{pmatrix}x&2\\3&4\end{pmatrix}^{50}", "(x+1)^{1000}", "2**(10**9)",
]  # fmt: skip
HONEST = [
    "2^{10}", "2^{2^{3}}", "10!", r"\binom{10}{3}", "x^2+y^2+z^2", "e^{x^{2}}", "2^{1990}", "1,000,000", "2^{-5}",
    "(x+1)(x+2)(x+3)(x+4)", r"\frac{1}{2}\sqrt{3}", "10^{100}, 10^{1 / 100}", r"(115^2,106^2), (83^2, 70^2)", "0.001",
    r"\binom{2020}{1010}", "x^{2023}+1", r"7 \text{ stuffed goats}", r"e^{\pi i}+1", "",
]  # fmt: skip


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: answer[:24])
def test_hostile_answers_are_found(answer: str) -> None:
    assert is_hostile(answer)
    assert not is_hostile(answer[:300], answer[:300]) or answer.startswith("((((")  # unless the gold is like that


@pytest.mark.parametrize("answer", HONEST)
def test_honest_answers_pass(answer: str) -> None:
    assert not is_hostile(answer)


@settings(max_examples=300)
@given(st.text(max_size=300) | st.text("()[]{}^!+-*,.=\\0123456789xyze ", max_size=300))
def test_every_text_has_a_bound(text: str) -> None:
    cost = expansion_cost(text)
    assert all(getattr(cost, name) >= 0 and math.isfinite(getattr(cost, name)) for name in cost.__slots__)
    is_hostile(text)


@pytest.mark.parametrize("piece", ["(", ")", "9", "^", "!", "x", "+", r"\sum", "{", ",", "9,", "\\"])
def test_time_is_linear(piece: str) -> None:
    start = time.process_time()
    expansion_cost(piece * 20_000)
    assert time.process_time() - start < 3
