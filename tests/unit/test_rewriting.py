"""Rules of notation: the same content in another form is accepted, other content in that form is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.grading.grader import grade
from rlvr.grading.mathematics.lists import same_entries, split_top_level, unwrap
from rlvr.grading.mathematics.rewriting import items_of, matched_once, rename, vector_entries, without_label


def verdict(gold: str, answer: str) -> str:
    return grade(rf"\boxed{{{answer}}}", gold, "math").verdict


ENTRIES = st.lists(st.integers(-40, 40), min_size=2, max_size=5)
LABELS = ("a = {}", "T(10) = {}", "x_1 = {}", "Paolo: {}", "Sequence 2: {}", "m_{{\\max}} = {}")


@settings(max_examples=20, deadline=None)
@given(ENTRIES, st.data())
def test_labels_say_nothing_and_values_everything(entries: list[int], data: st.DataObject) -> None:
    gold = ", ".join(map(str, entries))
    labels = data.draw(st.lists(st.sampled_from(LABELS), min_size=len(entries), max_size=len(entries)))
    order = data.draw(st.permutations(entries))
    answer = ", ".join(label.format(entry) for label, entry in zip(labels, order, strict=True))
    assert verdict(gold, answer) == "correct"
    place = data.draw(st.integers(0, len(entries) - 1))
    changed = [entry + (1000 if at == place else 0) for at, entry in enumerate(order)]
    other = ", ".join(label.format(entry) for label, entry in zip(labels, changed, strict=True))
    assert verdict(gold, other) == "wrong"
    assert verdict(gold, answer + ", b = 7777") == "wrong"


@settings(max_examples=12, deadline=None)
@given(st.integers(-30, 30), st.integers(1, 30), st.booleans(), st.booleans(), st.sampled_from(["x", "k", r"\lambda"]))
def test_chains_answer_intervals_end_by_end(start: int, width: int, left: bool, right: bool, name: str) -> None:
    end = start + width
    gold = f"{'[' if left else '('}{start},{end}{']' if right else ')'}"

    def chain(first: int, last: int, closed: bool) -> str:
        return " ".join([str(first), r"\leq" if closed else "<", name, r"\leq" if right else "<", str(last)])

    expected = "correct" if left or right else "wrong"  # without a closed end it may be a point
    assert verdict(gold, chain(start, end, left)) == expected
    assert verdict(gold, chain(start, end, not left)) == "wrong"
    assert verdict(gold, chain(start, end + 1, left)) == "wrong"
    assert verdict(gold, chain(start - 1, end, left)) == "wrong"


@pytest.mark.parametrize(
    ("gold", "right", "wrong"),
    [
        (r"(-\infty,-5)", "k < -5", "k > -5"),
        (r"[2,\infty)", r"x \geq 2", "x > 2"),
        ("f(n) = 2n+1007", "f(m) = 2m + 1007", "f(m) = 2m + 2014"),
        ("f(n) = 2n+a", "f(m) = 2m + a", "f(a) = 2a + a"),
        ("12", r"12^{\mathrm{th}}", r"11^{\mathrm{th}}"),
        ("3", "3rd", "4th"),
        ("62.5", r"62.5\%", r"0.625\%"),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\langle 1, 2 \rangle", "(2, 1)"),
        (r"\begin{bmatrix} 1 & 2 & 3 \end{bmatrix}", "(1,2,3)", "(1,2)"),
        ("f(x)=1", r"f(x) = 1 \text{ for all } x \in \mathbb{Q}_{>0}", r"f(x) = 2 \text{ for all } x \in \mathbb{Q}"),
        ("f(x)=1", r"f(x) = 1 \text{ for all } x", r"f(x) = 1 \text{ for } x \geq 0, f(x) = 2 \text{ for } x < 0"),
        (r"\pi k, \frac{\pi}{3} + \pi k", r"n\pi, \frac{\pi}{3} + n\pi, n \in \mathbb{Z}",
        r"2n\pi, \frac{\pi}{3} + n\pi"),
        (r"\pi k", r"n\pi", r"n^2\pi"),
        ("7,4", r"7 \text{ goats and } 4 \text{ sheep}", r"7 \text{ goats and } 4 \text{ thousand sheep}"),
        ("(4, 5)", "(x, y) = (4, 5)", "(x, y) = (5, 4)"),
        ("m_{\\max}=n-1", "n-1", "n+1"),
        ("2x+z=1", "2x+z = 1", "1+z"),
        ("5", "Answer: 5", "3:5"),
    ],
)  # fmt: skip
def test_form_is_forgiven_content_is_not(gold: str, right: str, wrong: str) -> None:
    assert verdict(gold, right) == "correct"
    assert verdict(gold, wrong) in ("wrong", "unparsed")


def test_entries_are_matched_once() -> None:
    assert matched_once(["1", "1", "2"], ["2", "1", "1"], str.__eq__)
    assert not matched_once(["1", "1", "2"], ["2", "2", "1"], str.__eq__)
    assert not matched_once(["1"], ["1", "1"], str.__eq__)


def test_parts_of_answers() -> None:
    assert split_top_level(r"(1, 2), \{3, 4\}, [5,6)") == ["(1, 2)", r"\{3, 4\}", "[5,6)"]
    assert unwrap(r"\left(1, 2\right]") == ("(", "1, 2", "]")
    assert unwrap("(1)+(2)") == ("", "(1)+(2)", "")
    assert items_of(r"7 \text{ goats and } 4 \text{ sheep}") == ["7", "4"]
    assert items_of(r"3 \text{ million}") is None
    assert items_of("(x, y) = (1, 2)") == ["x = 1", "y = 2"]
    assert without_label("T(10) = 4") == "4"
    assert without_label("a = b = c") is None and without_label("x:y") is None
    assert rename(r"2m + \max m", "m", "n") == r"2{n} + \max {n}"
    assert rename("mn", "m", "n") is None
    assert vector_entries(r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}") is None


@given(st.text(max_size=80) | st.text("(),[]{}\\ab1=:;", max_size=40))
def test_no_text_makes_the_parts_raise(text: str) -> None:
    items_of(text), unwrap(text), split_top_level(text), vector_entries(text), without_label(text)
    assert same_entries(text, text, str.__eq__) in (True, None)
