"""The HTML report as text: complete, escaped, by itself."""

import base64
import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from document_study import CELLS_CSV, FIGURE_CSV, NASTY, PIXEL, write_study

from rlvr.report.page import (
    StudyFiles,
    audit_class,
    heading_row,
    outcome_class,
    png_size,
    row_methods,
    spoken_methods,
    write_page,
)

ROOT = Path(__file__).resolve().parents[2]


class Reader(HTMLParser):
    """Elements with their attributes, and all texts outside of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, {name: value or "" for name, value in attributes}))
        if tag in ("script", "style"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.open.pop()

    def handle_data(self, data):
        if not self.open:
            self.texts.append(data)

    def having(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [
            attributes for name, attributes in self.elements
            if name == tag and all(attributes.get(key.replace("_", "-")) == value for key, value in wanted.items())
        ]  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Reader:
    folder = tmp_path_factory.mktemp("page")
    write_page([StudyFiles.of(write_study(folder))], "core", ROOT / "paper/page", str(folder / "report.html"))
    reader = Reader()
    reader.feed((folder / "report.html").read_text())
    return reader


def test_every_list_table_and_figure_has_a_card(page: Reader) -> None:
    cards = {card["data-name"]: card["data-kind"] for card in page.having("article", **{"class": "card"})}
    assert cards == {
        "claims": "claims", "audit": "audit", "groups": "coverage", "runs": "coverage", "compute": "coverage",
        "assumptions": "assumptions", "table1": "table", "figure1": "figure",
    }  # fmt: skip


def test_texts_of_the_data_stay_texts(page: Reader) -> None:
    assert len(page.having("script")) == 1
    assert (
        sum(NASTY in text for text in page.texts) >= 6
    )  # claim, audit, remarks, caption and cell of the table, figure
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


def test_nothing_is_asked_of_the_network(page: Reader) -> None:
    addresses = [attributes.get(name, "") for _, attributes in page.elements for name in ("src", "href")]
    beside = ("", "runs.html")  # a link to the page of all runs, which lies beside this one
    assert all(address in beside or address.startswith(("data:", "#")) for address in addresses)
    (policy,) = page.having("meta", http_equiv="Content-Security-Policy")
    assert "default-src 'none'" in policy["content"]


def test_downloads_hold_the_data(page: Reader) -> None:
    def content(name: str) -> str:
        (link,) = page.having("a", download=name)
        return base64.b64decode(link["href"].partition("base64,")[2]).decode()

    assert content("toy-table1.csv") == CELLS_CSV
    assert content("toy-figure1.csv") == FIGURE_CSV
    claims = list(csv.DictReader(io.StringIO(content("toy-claims.csv"))))
    assert [claim["verdict"] for claim in claims] == ["holds", "fails"] and claims[1]["sentence"] == NASTY
    assert len(list(csv.DictReader(io.StringIO(content("toy-runs.csv"))))) == 3


def test_rows_know_their_methods(page: Reader) -> None:
    found = [
        attributes["data-methods"] for tag, attributes in page.elements if tag == "tr" and "data-methods" in attributes
    ]
    assert "dora lora" in found  # the claim that names both
    assert found.count("full") == 2  # its group and its run


def test_controls_have_names_and_choices(page: Reader) -> None:
    names = {attributes["name"] for tag, attributes in page.elements if tag in ("input", "select")}
    assert names == {"query", "study", "kind", "name", "method"}
    values = {attributes["value"] for tag, attributes in page.elements if tag == "option"}
    assert {"toy", "table1", "figure1", "lora", "dora", "full", "claims", "audit"} <= values


def test_headings_are_joined_above_the_last_level_only() -> None:
    headers, kinds = [["", "Method"], ["Score", "Mean"], ["Score", "Mean"]], ["label", "ours", "printed"]
    assert [(cell["text"], cell["span"]) for cell in heading_row(headers, kinds, 0)] == [("", 1), ("Score", 2)]
    assert [cell["span"] for cell in heading_row(headers, kinds, 1)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("verdict", "look"),
    [("holds", "holds"), ("stand-in: fails", "fails"), ("stand-in: one seed only", "undecided"), ("not run", "not-run"),
     ("undecided", "undecided")],
)  # fmt: skip
def test_looks_of_verdicts(verdict: str, look: str) -> None:
    assert outcome_class(verdict) == look


def test_looks_of_the_audit() -> None:
    assert audit_class("follows") == audit_class("follows within rounding") == "holds"
    assert audit_class("cannot be checked") == audit_class("within chance") == "undecided"
    assert audit_class("contradicted") == audit_class("follows with n instead of n - 1") == "fails"


def test_methods_of_rows_and_sentences() -> None:
    cells = [{"row": "a", "runs": "one two"}, {"row": "a", "runs": ""}, {"row": "b", "runs": "elsewhere"}]
    assert row_methods(cells, {"one": "lora", "two": "dora"}) == {"a": {"lora", "dora"}, "b": set()}
    assert spoken_methods("DoRA (r = 16) beats FFT", ["lora", "dora", "full"]) == ["dora", "full"]


def test_size_of_a_picture() -> None:
    assert png_size(PIXEL) == (1, 1)


def test_no_template_text_is_marked_safe() -> None:
    for path in (ROOT / "paper/page").glob("*.j2"):
        assert not re.search(r"\|\s*safe\b|autoescape", path.read_text()), path
