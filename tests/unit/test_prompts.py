"""The prompt templates: what they contain, and that questions pass through untouched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.prompts import BOX_OPEN, TEMPLATES, THINK_CLOSE, THINK_OPEN, assistant_text, render_prompt


def test_compact_prompt_is_the_text_of_the_tiny_world():
    assert render_prompt("Reverse 12.", "compact") == "User: Reverse 12.\nAssistant: <think>"


def test_r1_zero_prompt_asks_for_tags_and_box():
    before = render_prompt("Q", "r1_zero").rsplit(THINK_OPEN, 1)[0]
    assert THINK_OPEN in before
    assert THINK_CLOSE in before
    assert BOX_OPEN + "}" in before


@pytest.mark.parametrize("template", TEMPLATES)
@given(question=st.text())
def test_question_appears_unchanged_between_fixed_texts(template, question):
    marked = render_prompt("\0", template)
    before, after = marked.split("\0")
    assert render_prompt(question, template) == before + question + after


@pytest.mark.parametrize("template", TEMPLATES)
def test_prompt_ends_with_what_the_assistant_text_begins_with(template):
    opened = assistant_text("", template)
    assert opened.strip() in (THINK_OPEN, "")
    assert render_prompt("Q", template).endswith(opened)
    assert (THINK_OPEN in render_prompt("Q", template).rsplit("Q", 1)[1]) == (THINK_OPEN in opened)
    assert assistant_text("12</think>3", template) == f"{opened}12</think>3"


def test_question_with_braces_and_slot_is_literal():
    question = r"Let $\{question\}$ and {question} be."
    assert question in render_prompt(question, "compact")


@pytest.mark.parametrize("use", [render_prompt, assistant_text])
def test_unknown_template_is_refused_with_the_choices(use):
    with pytest.raises(InputError, match=r"'chatml'.*compact, r1_zero"):
        use("text", "chatml")
