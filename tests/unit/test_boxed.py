"""The box scanner against a slow obvious one; its contract is written beside it, in rlvr.core.boxed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.core.boxed import last_box, last_boxed


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (r"so \boxed{42}.", "42"),
        (r"\boxed{26} no wait \boxed{27}", "27"),
        (r"\boxed{26}\boxed{27}", "27"),
        (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
        (r"\boxed {7}", "7"),
        (r"\boxed{}", ""),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{a \left\{ b \right.}", r"a \left\{ b \right."),
        (r"\boxed{5} and then \boxed{6", "5"),
        (r"} \boxed{3} }", "3"),
        ("\\boxed{line\nbreak}", "line\nbreak"),
    ],
)
def test_last_complete_box_counts(text: str, content: str) -> None:
    assert last_boxed(text) == content


@pytest.mark.parametrize("text", ["", "42", r"\boxed", r"\boxed 7", r"\boxed{7", r"boxed{7}", r"\fbox{7}"])
def test_no_complete_box_is_none(text: str) -> None:
    assert last_boxed(text) is None


def slow_last_boxed(text: str) -> str | None:
    """Tries every box from the right and counts braces; quadratic."""
    opening = "\\boxed{"
    for start in reversed([index for index in range(len(text)) if text.startswith(opening, index)]):
        depth = 1
        for end in range(start + len(opening), len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0:
                return text[start + len(opening) : end]
    return None


@given(st.lists(st.sampled_from(["\\boxed{", "\\boxed", "{", "}", "x", " ", "1"]), max_size=25).map("".join))
def test_equals_the_slow_scanner(text: str) -> None:
    assert last_boxed(text) == slow_last_boxed(text)


@pytest.mark.parametrize("piece", [r"\boxed{", "{", "}", r"\boxed{1}", "\\"])
def test_time_is_linear(piece: str) -> None:
    def seconds(count: int) -> float:
        start = time.process_time()
        last_boxed(piece * count)
        return time.process_time() - start

    seconds(1000)
    assert seconds(100_000) < 2.0


def test_an_empty_box_that_a_formula_speaks_of_is_its_last_word() -> None:
    assert last_box(r"\boxed{7} (inside \boxed{})") == "7"
    assert last_box(r"\boxed{7} \text{ but the format is } \boxed{}") == ""
