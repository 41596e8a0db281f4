"""Hostile completions shown to a reader: nothing in them is markup, hidden or able to close what surrounds it."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasty import HIDDEN, NASTY

from rlvr.core.escaping import html_text, markdown_block, markdown_inline, shortened, visible


class Tags(HTMLParser):
    """Collects every tag that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes = attrs

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("text", NASTY)
def test_a_page_of_nasty_rows_holds_its_own_tags_only(text):
    page = Tags()
    page.feed(f'<pre title="{html_text(text)}">{html_text(text)}</pre>')
    page.close()
    assert page.tags == ["pre"]
    assert page.attributes == [("title", visible(text))]
    assert "".join(page.words) == visible(text)


@pytest.mark.parametrize("text", NASTY)
def test_nothing_stays_hidden(text):
    for shown in (visible(text), html_text(text), markdown_inline(text), markdown_block(text)):
        assert not set(shown) & set(HIDDEN)


@pytest.mark.parametrize("text", NASTY)
def test_a_fence_is_closed_by_its_own_end_only(text):
    first, *inside, last = markdown_block(text).split("\n")
    fence = first.removesuffix("text")
    assert last == fence and set(fence) == {"`"} and len(fence) >= 3
    assert not any(line.strip().startswith(fence) for line in inside)
    assert "\n".join(inside) == visible(text)


@pytest.mark.parametrize("text", NASTY)
def test_inline_text_is_one_line_without_markup(text):
    from markdown_it import MarkdownIt

    shown = markdown_inline(text)
    assert "\n" not in shown
    (block,) = [token for token in MarkdownIt("commonmark").parse(f"x{shown}") if token.type == "inline"]
    assert {token.type for token in block.children} <= {"text", "text_special"}


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_visible_text_is_stable_and_keeps_what_can_be_seen(text):
    shown = visible(text)
    assert visible(shown) == shown
    printable = [character for character in text if character.isprintable()]
    rest = iter(shown)
    assert all(character in rest for character in printable)


def test_a_long_text_keeps_its_beginning_and_its_end():
    text = "a" * 600 + "b" * 600
    short = shortened(text, 100)
    assert short.startswith("a" * 50 + "\n[1,100 characters left out]\n") and short.endswith("b" * 50)
    assert shortened(text, 1200) == text
