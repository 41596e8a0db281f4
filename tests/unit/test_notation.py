"""Unusual signs of right answers are read, and answers that deny what they hold are refused."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.grading.grader import grade
from rlvr.grading.mathematics.answers import as_number
from rlvr.grading.mathematics.denials import says_otherwise
from rlvr.grading.mathematics.notation import (
    interval_of,
    match_in_plain_notation,
    union_of,
    write_out_scale,
    write_plainly,
)


def verdict(gold: str, answer: str) -> str:
    return grade(rf"\boxed{{{answer}}}", gold, "math").verdict


UNION = r"(-\infty,3)\cup(5,\infty)"


@pytest.mark.parametrize(
    ("gold", "right", "wrong"),
    [
        (UNION, "5 < x or x < 3", "5 < x or y < 3"), (UNION, r"x<3 \lor x>5", "x<3 and x>5"),
        (r"(-1,2]\cup[4,\infty)", r"-1<x\le 2 \text{ or } x\geq 4", r"-1<x<2 \text{ or } x\geq 4"),
        (r"x<3\text{ or }x>5", UNION, r"(-\infty,3]\cup(5,\infty)"),
        ("5", "5 m^2", "5^2"), ("1000", "1,000 miles", "1,000^2"), ("5", "USD 5", "USD 6"), ("-3.5", "-3 1/2", "3 1/2"),
        ("1/7", r"0.\overline{142857}", r"0.\overline{142858}"), ("-1/3", r"-.\bar{3}", r".\bar{3}"),
        ("100", "1e2", "1e3"), ("0.01", "1E-2", "1e2"), ("1500000", r"\$1.5 \text{ million}", r"\$1.5 \text{ billion}"),
        (r"1.5\text{ million}", "1500000", "1500"), ("C", r"\textbf{(C)}\ 12", r"\textbf{(D)}\ 12"),
        ("C", "C: 1", "(C), (D)"), (r"\text{June 20}", "June 20", "June 21"), ("3+i", r"3+\mathrm{i}", r"3-\mathrm{i}"),
        (r"2\sqrt{3}", "2\u221a3", "2\u221a5"), ("5", r"{\bf 5}", r"\color{red}{6}"), ("10:30", "10{:}30", "10{:}31"),
        ("(1,2)", "<1, 2>", "<2, 1>"), (r"\frac{1}{2}", r"\frac{1}{2} = x", r"\frac{1}{3} = x"),
        ("f(x) = x", "f(t) = t", "f(x) = y"),
        ("x + yz = C", "C = x + yz", "x + yz = D"), (r"\emptyset", r"\varnothing", "0"),
        ("5", "the final answer is: $5$", "The answer is not 5"),
    ],
)  # fmt: skip
def test_signs_are_read_and_values_kept(gold: str, right: str, wrong: str) -> None:
    assert verdict(gold, right) == "correct"
    assert verdict(gold, wrong) in ("wrong", "unparsed")


@pytest.mark.parametrize(
    ("gold", "denied", "kept"),
    [
        ("5", "> 5", "= 5"), ("5", r"\leqslant 5", "x = 5"), ("5", r"\text{at least } 5", r"\text{exactly } 5"),
        ("5", r"5 \text{ hundred}", r"5 \text{ hours}"), (r"5\text{ million}", "5000", r"5 \text{ million}"),
        ("3s+2t", "3s+2", "2t+3s"), (r"\frac{1}{2}m", "1/2", "m/2"),
        ("101_2", "101_3", "101_{2}"), ("1,1,2", "2,2,1", "2,1,1"), ("x > 5", "x < 5", "x > 5"),
        ("5", r"\text{4 and } 5", r"\text{the number } 5"), ("5", r"\text{from 4 to } 5", r"\text{only } 5"),
        (r"(5,\infty)", "x < 5", "x > 5"), (r"\text{more than } 5", "4", r"\text{more than } 5"),
    ],
)  # fmt: skip
def test_answers_that_deny_their_gold_are_refused(gold: str, denied: str, kept: str) -> None:
    assert verdict(gold, denied) == "wrong"
    assert verdict(gold, kept) == "correct"


@given(st.integers(0, 99), st.integers(0, 999), st.integers(1, 4), st.booleans())
def test_a_repeating_decimal_is_the_limit_of_its_digits(whole: int, fixed: int, digits: int, minus: bool) -> None:
    period = f"{fixed:0{digits}}"[-digits:]
    text = rf"{'-' if minus else ''}{whole}.{fixed}\overline{{{period}}}"
    found = as_number(write_plainly(text))
    if found is not None:  # too long to be read exactly otherwise
        cut = Fraction(f"{whole}.{fixed}{period * 20}")
        assert abs(abs(found[0]) - cut) < Fraction(1, 10**19) and (found[0] < 0) == (minus and cut > 0)


@given(st.integers(-99, 99), st.integers(0, 99), st.integers(1, 99))
def test_a_mixed_number_is_a_sum(whole: int, top: int, bottom: int) -> None:
    found = as_number(write_plainly(f"{whole} {top}/{bottom}"))
    size = abs(whole) + Fraction(top, bottom)
    assert found is not None and found[0] == (-size if whole < 0 else size)


def test_parts() -> None:
    assert interval_of(r"3 \geq x > 1") == ("x", "(1, 3]") and interval_of("x < 3") == ("x", r"(-\infty, 3)")
    assert interval_of("1 < x > 0") is interval_of("1 < 2") is interval_of("x") is interval_of("x <") is None
    assert union_of("x < 3 or x = 5") is None and union_of("x < 3 and x > 1") is None
    assert write_out_scale(r"\$5 \text{ million dollars}") == r"5 \cdot 1000000"
    assert write_out_scale("5") is write_out_scale("x million") is None


PIECES = st.sampled_from(
    [r"\text{", "}", "{", r"\cup", "<", r"\leq ", "x", "5", " ", "/", "e", ".", r"\overline{", "million", " or ", "=",
     "(C)", "~", "\u00b0", "\u221a", "**", "_", "\\", ",", r"\neq ", "between", "\u0663"]
)  # fmt: skip


@settings(deadline=None)
@given(
    st.text(max_size=60) | st.lists(PIECES, max_size=20).map("".join), st.sampled_from(["5", UNION, "C", "1,1", "5_2"])
)
def test_no_text_makes_the_rules_raise(text: str, gold: str) -> None:
    for first, second in ((gold, text), (text, gold)):
        assert match_in_plain_notation(first, second, str.__eq__) in (True, False)
        assert says_otherwise(first, second, str.__eq__) in (True, False)
