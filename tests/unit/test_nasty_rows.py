"""A page of nasty rows through the real renderers: Markdown, LaTeX, Typst, figures, Snakemake's captions, messages."""

import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
import typst
from docutils.core import publish_parts
from jinja2 import Environment
from markdown_it import MarkdownIt
from nasty import HIDDEN, NASTY
from report_study import OUTPUTS, evidence, load_study, write_study

from rlvr.core.errors import InputError
from rlvr.core.escaping import plot_text, visible
from rlvr.plan.labels import Label
from rlvr.plan.outputs import Output
from rlvr.report.cells import ReportScope, build_cells
from rlvr.report.figures import KINDS
from rlvr.report.figures.topics import topic_table
from rlvr.report.looks import Drawing, save_figure
from rlvr.report.plotting import styled
from rlvr.report.render import Table, TextColumn, compose, to_json, to_latex, to_markdown

ROOT = Path(__file__).resolve().parents[2]
RAW = {"html_block", "html_inline", "link_open", "image"}
TEX_ACTIVE = re.compile(r"[^\x20-\x7e\n]")
MARKUP = "<script", "javascript:", "<img", "<b>"


class Tags(HTMLParser):
    """Names of the elements of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def nasty_table(folder: Path, caption: str) -> Table:
    """A table of the tests' study whose headings, labels, notes and caption are nasty."""
    output = load_study(write_study(folder))["table1"]
    found = compose(
        output, build_cells(output, evidence(), ReportScope("tiny", False, [])), ReportScope("t", True, []), []
    )
    declared = Output.read({**output.declaration(), "caption": caption})
    first, *rest = found.columns
    words = [NASTY[place % len(NASTY)] for place in range(len(found.keys))]
    columns = [TextColumn(first.kind, first.header, words), *rest]
    columns += [TextColumn("words", ("", text), [text] * len(found.keys)) for text in NASTY]
    return Table(declared, found.keys, columns, found.verdicts, list(NASTY), "scope", ["made by a test"])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return nasty_table(tmp_path_factory.mktemp("study"), " ".join(NASTY))


def test_markdown_holds_no_html_no_link_and_one_line_per_row(table):
    text = to_markdown(table)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text.partition("-->")[2])
    kinds = {child.type for token in tokens for child in [token, *(token.children or [])]}
    allowed = {child.content for token in tokens for child in token.children or [] if child.type == "html_inline"}
    assert not kinds & (RAW - {"html_inline"}) and allowed <= {"<br>"}
    assert "table_open" in kinds and not set(text) & set(HIDDEN)
    assert sum(token.type == "tr_open" for token in tokens) == len(table.keys) + 1


def test_latex_is_printable_ascii_in_which_nothing_of_the_data_is_a_command(table):
    text = to_latex(table)
    assert not TEX_ACTIVE.search(text)
    for command in (r"\input", r"\write18", r"\end{tabular} ^^", r"$\frac"):
        assert command not in text


def test_latex_compiles_it(table, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed: the LaTeX table is not compiled")
    head = r"\documentclass{article}\usepackage{booktabs}\usepackage{xcolor}"
    head += r"\usepackage[paperwidth=400cm,paperheight=400cm]{geometry}"
    (tmp_path / "t.tex").write_text(f"{head}\\begin{{document}}{to_latex(table)}\\end{{document}}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_typst_sets_it_and_takes_nothing_for_code(table, tmp_path):
    """Each text comes back from Typst as the text that it was, from the document's own function for tables."""
    content = to_json(table)
    assert not {character for text in json.dumps(content, ensure_ascii=False) for character in text} & set(HIDDEN)
    (tmp_path / "table.json").write_text(json.dumps(content))
    shutil.copy(ROOT / "paper/style.typ", tmp_path / "style.typ")
    lines = [
        '#import "style.typ": render-table',
        '#let data = json("table.json")',
        "#set page(width: auto, height: auto)",
    ]
    lines += ['#render-table("nasty", data)', "#metadata(data.caption) <caption>"]
    (tmp_path / "main.typ").write_text("\n".join(lines))
    assert typst.compile(str(tmp_path / "main.typ")).startswith(b"%PDF")
    found = json.loads(typst.query(str(tmp_path / "main.typ"), "<caption>", field="value", one=True))
    assert found.removesuffix(" The paper's table 1.") == visible(" ".join(NASTY)).rstrip()


def test_figures_draw_names_and_topics_as_they_stand(tmp_path):
    card = {"name": "d", "fields": [{"field": text, "read": 3, "kept": 1 + place} for place, text in enumerate(NASTY)]}
    labels = {name: Label(plot_text(NASTY[place]), "#000000") for place, name in enumerate(("read", "kept"))}
    kind = KINDS["topics"]
    topics = {"kind": "topics", "source": "ours", "caption": "c", "plot": {"dataset": "d", "topics": 99}}
    output = load_study(write_study(tmp_path, {**OUTPUTS, "figure4": topics}))["figure4"]
    drawing = Drawing(output, kind.options(dataset="d", topics=99), labels, ReportScope("tiny", False, []), {})
    shown = topic_table(card, 99)
    with styled(str(ROOT / "paper/style.mplstyle")):
        figure = kind.draw(drawing, shown)
        for form in ("pdf", "png"):
            save_figure(figure, str(tmp_path / f"f.{form}"), form, {})
        (axes,) = figure.axes
        ticks = [tick.get_text() for tick in axes.get_yticklabels()]
        assert [text.replace(r"\$", "$") for text in ticks] == [visible(text) for text in shown["topic"]]
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


def rendered_caption(caption: str) -> Tags:
    """What Snakemake's report makes of a caption: its template by Jinja, then docutils with all directives on."""
    template = Environment().from_string((ROOT / "workflow/report/output.rst").read_text())
    text = template.render(snakemake=SimpleNamespace(params=SimpleNamespace(caption=caption)))
    page, warnings = Tags(), io.StringIO()
    page.feed(publish_parts(text, writer="html", settings_overrides={"warning_stream": warnings})["body"])
    assert warnings.getvalue() == ""
    return page


@pytest.mark.parametrize("caption", [*NASTY, "plain\n\n  indented\n\n* list\n\n====\nhead\n====\n"])
def test_a_caption_of_the_report_is_the_text_that_it_is(caption):
    page = rendered_caption(caption)
    assert page.tags <= {"p"}
    words = "".join(character for character in caption if character.isprintable() or character.isspace()).split()
    assert page.text.split() == ["".join(filter(str.isprintable, word)) for word in words]


def test_a_message_moves_no_cursor():
    message = str(InputError("file", f"holds {''.join(NASTY)}", "Mend it."))
    assert not set(message) & set(HIDDEN)
