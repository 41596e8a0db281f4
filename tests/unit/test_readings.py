"""What answers are read as, and pairs of a gold and an answer of every kind of notation."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutants import is_equivalence, wrong_mutants

from rlvr.core.errors import InputError
from rlvr.grading.grader import grade
from rlvr.grading.mathematics.answers import clean_answer
from rlvr.grading.mathematics.kinds import (
    Based,
    Cases,
    Congruence,
    Equation,
    Expression,
    Group,
    Percent,
    Progression,
    Ratio,
    Reading,
    Relation,
    Sequence,
    Text,
)
from rlvr.grading.mathematics.latex import UnreadableError, tokenize
from rlvr.grading.mathematics.lists import same_entries, split_top_level, unwrap
from rlvr.grading.mathematics.math_answers import check_math_gold, match_math, tidied
from rlvr.grading.mathematics.reader import read
from rlvr.grading.mathematics.regions import Region
from rlvr.grading.mathematics.sameness import matched_once, same

PAIRS = [json.loads(line) for line in (Path(__file__).parent / "math_pairs.jsonl").read_text().splitlines()]


def reading_of(text: str) -> Reading:
    return read(tidied(clean_answer(text)).tokens)


def verdict(gold: str, answer: str) -> str:
    return grade(rf"\boxed{{{answer}}}", gold, "math").verdict


@pytest.mark.parametrize("expected", ["correct", "wrong"])
def test_pairs_of_every_kind(expected: str) -> None:
    """Some 1,700 pairs: forms that must be accepted, and answers beside them that say something else."""
    pairs = [(row["gold"], row["answer"]) for row in PAIRS if row["verdict"] == expected]
    assert len(pairs) > 700
    found = [pair for pair in pairs if (match_math(*pair)[0] == "correct") != (expected == "correct")]
    assert found == []


def test_a_gold_accepts_itself_in_either_role() -> None:
    for row in PAIRS:
        assert match_math(row["gold"], row["gold"])[0] == "correct", row
        if row["verdict"] == "correct" and not row["answer"].isascii():
            assert match_math(row["answer"], row["answer"])[0] == "correct", row


GOLDS = [
    "6", "-3", "x+1", r"\frac{2}{3}", r"2\sqrt{3}", "(1,2)", "1,2", r"\text{odd}", "x > 2", "f'(x)",
    r"\gcd(m,n)", "A^TB",
    "AB",    r"6.6 \times 10^{-34}", r"\mathbb{Z}_2", "x = 3", "C", r"3\%", "[1,2)",
]  # fmt: skip


@pytest.mark.parametrize("gold", GOLDS)
def test_no_mutant_is_accepted(gold: str) -> None:
    accepted = [(name, mutant) for name, mutant in wrong_mutants(gold) if match_math(gold, mutant)[0] == "correct"]
    assert [one for one in accepted if not is_equivalence(one[0], gold)] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("5", Expression), ("x+1", Expression), (r"\begin{pmatrix}1\\2\end{pmatrix}", Expression), ("3\\%", Percent),
        ("101_2", Based), ("1,2", Sequence), ("(1,2)", Sequence), ("x=5", Equation), ("x+y=5", Equation), ("x<5",
        Region),
        ("[1,2)", Region), (r"x \neq 1", Region), ("x+y<5", Relation), (r"n \equiv 1 \pmod 4", Congruence),
        (r"\begin{cases}1&x>0\\0&x<0\end{cases}", Cases), (r"\mathbb{Z}_2\times\mathbb{Z}_3", Group), ("3:4", Ratio),
        (r"1,2,\ldots,n", Progression), (r"\text{June 20}", Text), (r"5 \text{ if odd}", Text), ("5^+", Text), ("5 6",
        Text),
    ],
)  # fmt: skip
def test_every_answer_has_one_reading(text: str, kind: type[Reading]) -> None:
    assert isinstance(reading_of(text), kind)


@pytest.mark.parametrize("gold", [r"\frac{1}{2", r"5 \unknowncommand 6", r"\text{ }", "", r"@@"])
def test_a_gold_that_is_not_read_whole_is_refused(gold: str) -> None:
    with pytest.raises(InputError):
        check_math_gold(gold)


NUMBERS = st.integers(1, 30)
NAMES = st.sampled_from(["x", "y", "n", r"\alpha", "A", "B"])
ATOMS = st.one_of(NUMBERS.map(lambda number: f"({number})"), NAMES)


def combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(parts, parts).map(lambda pair: f"({pair[0]} + {pair[1]})"),
        st.tuples(parts, parts).map(lambda pair: rf"\frac{{{pair[0]}}}{{{pair[1]}}}"),
        st.tuples(parts, parts).map(lambda pair: rf"({pair[0]} \cdot {pair[1]})"),
        parts.map(lambda part: rf"\sqrt{{{part}}}"),
        parts.map(lambda part: f"({part})^2"),
        parts.map(lambda part: rf"\sin({part})"),
    )


EXPRESSIONS = st.recursive(ATOMS, combined, max_leaves=5)


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS, st.integers(1, 9))
def test_equality_is_symmetric_and_sums_may_be_turned(first: str, second: str, step: int) -> None:
    readings = reading_of(first), reading_of(second)
    assert same(*readings) == same(*readings[::-1])
    assert match_math(f"{first} + {second}", f"{second} + {first}")[0] == "correct"
    assert match_math(first, f"{first} + {step}")[0] == "wrong"


@settings(max_examples=60, deadline=None)
@given(st.integers(-40, 40), st.integers(1, 30), st.booleans(), st.booleans(), st.sampled_from(["x", "k", r"\lambda"]))
def test_chains_and_intervals_are_one_another(start: int, width: int, left: bool, right: bool, name: str) -> None:
    end = start + width
    interval = f"{'[' if left else '('}{start},{end}{']' if right else ')'}"
    low, high = (r"\leq" if closed else "<" for closed in (left, right))
    lower, higher = (r"\geq" if closed else ">" for closed in (left, right))
    other = "<" if left else r"\leq"
    chain = f"{start} {low} {name} {high} {end}"
    assert verdict(chain, interval) == verdict(chain, f"{end} {higher} {name} {lower} {start}") == "correct"
    assert verdict(interval, chain) == ("correct" if left or right else "wrong")  # otherwise it may be a point
    assert verdict(chain, f"{start} {low} {name} {high} {end + 1}") == "wrong"
    assert verdict(chain, f"{start} {other} {name} {high} {end}") == "wrong"


def test_entries_are_matched_once() -> None:
    assert matched_once(["1", "1", "2"], ["2", "1", "1"], str.__eq__)
    assert not matched_once(["1", "1", "2"], ["2", "2", "1"], str.__eq__)
    assert not matched_once(["1"], ["1", "1"], str.__eq__)


def test_parts_of_lists() -> None:
    assert split_top_level(r"(1, 2), \{3, 4\}, [5,6)") == ["(1, 2)", r"\{3, 4\}", "[5,6)"]
    assert unwrap(r"\left(1, 2\right]") == ("(", "1, 2", "]")
    assert unwrap("(1)+(2)") == ("", "(1)+(2)", "")


SIGNS = [
    ("x\u00b2", "x^{2}"), ("3\u2264x", r"3\leq x"), ("\u00bd", r"\frac{1}{2}"), ("\u03c0", r"\pi"), ("\u22125", "-5"),
    ("a\u2081", "a_{1}"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SIGNS)
def test_unicode_and_latex_give_the_same_tokens(one: str, other: str) -> None:
    assert tokenize(one) == tokenize(other)


PIECES = st.sampled_from(
    [r"\text{", "}", "{", r"\cup", "<", r"\leq ", "x", "5", " ", "/", "e", ".", r"\overline{", "million", " or ", "=",
     "(C)", "~", "\u00b0", "\u221a", "**", "_", "\\", ",", r"\neq ", "between", "\u0663", r"\begin{cases}",
     r"\end{cases}",
     "&", r"\\", "|", r"\left(", ")", "[", r"\{", r"\}", "^", "'", "!", r"\pm", r"\pmod", r"\int_0^1 ",
     r"\sum_{k=1}^{3}",
     "d", r"\frac"]
)  # fmt: skip
TEXTS = st.text(max_size=60) | st.lists(PIECES, max_size=20).map("".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(["5", "x<3", "C", "1,1", "101_2"]))
def test_no_text_makes_the_reader_raise(text: str, gold: str) -> None:
    with suppress(UnreadableError):
        reading_of(text)
    assert match_math(gold, text)[0] in ("correct", "wrong", "unparsed", "timed_out")
    assert same_entries(text, text, str.__eq__) in (True, None)
