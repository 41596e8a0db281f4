"""Elementary expressions compared by residues: sympy is the slow obvious version."""

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.grading.mathematics.expressions import PRIMES, SMALL_PRIMES, evaluate, same_expression
from rlvr.grading.mathematics.math_answers import match_fast, match_symbolic


def test_moduli_are_what_the_roots_need() -> None:
    for prime in PRIMES:
        assert sympy.isprime(prime) and prime % 8 == 7
        assert all(pow(factor, (prime - 1) // 2, prime) == 1 for factor in SMALL_PRIMES)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("(x+1)^2", "x^2+2x+1"), (r"2\sqrt{3}", r"\sqrt{12}"), (r"\frac{1}{\sqrt{2}}", r"\frac{\sqrt{2}}{2}"),
        (r"\sqrt{2}\sqrt{3}", r"\sqrt{6}"), (r"\frac{7\pi}{3}", r"\frac{7}{3}\pi"), (r"\frac12", "2/4"), ("2^{-3}",
        "1/8"),
        (r"(1+\sqrt{5})(1-\sqrt{5})", "-4"), ("(a-b)(a+b)", "a^2-b^2"), (r"\dfrac{x}{2}", r"\tfrac{1}{2}x"), ("x-x+1",
        "1"),
        (r"\left(x+1\right)y", "xy+y"), (r"3 \cdot x", "3x"), ("-(n-1)/2", r"\frac{1-n}{2}"),
    ],
)  # fmt: skip
def test_equal_expressions(first: str, second: str) -> None:
    assert same_expression(first, second) is True
    assert same_expression(first, f"({second})+1") is not True


@pytest.mark.parametrize(
    "text",
    ["1/2x", "x2", "f(x)", r"2\frac{1}{2}", "x^10", "e^2", "2i", "1.5", "x=1", "1,2", "x!", r"\sqrt{x}", r"\sqrt{-2}",
     "1/0", "0^0", r"\sin x", "xy", "", "(1", "1)", "x^{y}", "x**2", r"\sqrt{53}", "(" * 11 + "1" + ")" * 11, "((1]"],
)  # fmt: skip
def test_what_has_two_readings_is_left_alone(text: str) -> None:
    assert evaluate(text) is None


def test_other_letters_are_left_alone() -> None:
    assert same_expression("x+1", "y+1") is None
    assert same_expression("x+1", "X+1") is None


LEAVES = st.sampled_from(["1", "2", "3", "7", "x", "y", r"\pi", r"\sqrt{2}", r"\sqrt{12}", r"\frac{2}{3}"])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}+{pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}-{pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: rf"{pair[0]} \cdot {pair[1]}"),
        inner.map(lambda one: f"({one})^{{2}}"),
    ),
    max_leaves=5,
)
SYMPY = {r"\pi": "pi", r"\sqrt{2}": "sqrt(2)", r"\sqrt{12}": "sqrt(12)", r"\frac{2}{3}": "Rational(2,3)",
r" \cdot ": "*",
         "^{2}": "**2"}  # fmt: skip


def as_sympy(text: str) -> sympy.Expr:
    for latex, name in SYMPY.items():
        text = text.replace(latex, name)
    return sympy.sympify(text)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS)
def test_agrees_with_sympy(first: str, second: str) -> None:
    for other in (second, f"({first})+0", f"({first})+({second})-({second})"):
        same = same_expression(first, other)
        if same is not None:
            assert same == (sympy.expand(as_sympy(first) - as_sympy(other)) == 0)


@settings(max_examples=25, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS)
def test_agrees_with_the_full_path(first: str, second: str) -> None:
    if (same := match_fast(first, second)) is not None:
        assert same == (match_symbolic(first, second)[0] == "correct")


ENTRIES = st.sampled_from(["1", "-2", "3", r"\infty", r"-\infty", r"\frac{1}{2}", "x+1", r"\sqrt{2}", "0.5"])
LISTS = st.tuples(st.sampled_from(["()", "[]", "(]", "[)", "  "]), ENTRIES, ENTRIES, st.sampled_from([",", ", "]))


@settings(max_examples=40, deadline=None)
@given(LISTS, LISTS)
def test_lists_agree_with_the_full_path(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    texts = [f"{pair[0]}{one}{comma}{other}{pair[1]}".strip() for pair, one, other, comma in (first, second)]
    if (same := match_fast(*texts)) is not None:
        assert same == (match_symbolic(*texts)[0] == "correct"), texts


@given(st.text(max_size=60) | st.text(r"x1+-*/^(){}\ sqrtfacpi", max_size=60))
def test_every_text_is_read_or_refused(text: str) -> None:
    evaluate(text)
