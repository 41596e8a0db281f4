"""Every writer of Markdown, HTML, LaTeX, CSV and terminal text is given texts that it might take for its own markup."""

import ast
import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from markdown_it import MarkdownIt
from report_study import evidence, load_study, write_study

from rlvr.core.csvfile import csv_text, records_of
from rlvr.core.errors import InputError
from rlvr.core.escaping import comment_line
from rlvr.core.io import read_json
from rlvr.data.dataset_page import render_page
from rlvr.data.records import read_records
from rlvr.plan.verdict_words import AuditVerdict
from rlvr.report.audit import files as audit_files
from rlvr.report.cells import ReportScope, build_cells
from rlvr.report.model_cards import card_text
from rlvr.report.page import page_environment
from rlvr.report.parameter_tables import write_parameters
from rlvr.report.render import Table, TextColumn, compose, to_latex, to_markdown
from rlvr.report.runs_page import page_text

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    "<svg onload=alert(1)>", "<a href='javascript:alert(1)'>x</a>", "[x](javascript:alert(1))",
    "![t](http://example.org/p.png)", "<http://example.org/>", "[x]: http://example.org 'y'\n[x]", "[x][y]",
    "x --> <b>out</b>", "a\rb\r\nc", "\u202eturned\u202c", "\u200b\u200dz", "\x1b]0;title\x07\x1b[2J", "\x00nul",
    "a\x0bb\x0cc\x1cd", "| c | d\n---|---", "# h\n===\nx\n---", '#read("/etc/passwd")', "\\input{/etc/passwd}",
    "% c\n\\write18{id}", "$\\frac{1}{$", ":raw:`x` \n.. include:: /etc/passwd", "{{7*7}}{% raw %}", "{wildcards.x}",
    "=cmd|'/c calc'!A0", "<!-- x", "]]>", "</title></style></script><script>alert(1)</script>",
    "\U000e0041\U000e0042", "\ufeffmark", "~~~\n```\n", "*b* _i_ `c` ~s~", "<details open ontoggle=alert(1)>",
]  # fmt: skip
WHOLE = " ".join(TEXTS)
HIDDEN = {character for character in WHOLE if not character.isprintable()} - {"\n"}
MARKUP = {"html_block", "html_inline", "link_open", "image"}


def assert_plain_markdown(text: str) -> None:
    """Nothing of the texts is HTML, a link or an image, and nothing is hidden."""
    content = text.partition("-->\n")[2] if text.startswith("<!--") else text
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(content)
    parts = [part for token in tokens for part in (token, *(token.children or ()))]
    assert [part.content for part in parts if part.type in MARKUP and part.content != "<br>"] == []
    assert not HIDDEN & set(text)


def card_of_texts() -> str:
    """A data card in which every place for a text holds nasty ones."""
    counted = {"read": 1, "kept": 1}
    card = {
        "deviations": TEXTS,
        "sources": [{**dict.fromkeys(("source", "origin", "licence", "noncommercial", "url"), text), "rows": 3}
                    for text in TEXTS],
        "recipe": {"dataset": "d", "several": TEXTS, "one": WHOLE},
        "counts": [{"filter": text, "before": 2, "after": 1} for text in TEXTS],
        "taken_out": [{"problem_id": text, "reason": text} for text in TEXTS],
        "difficulty": {"bins": [], "not_rated": [{"reason": text, **counted} for text in TEXTS]},
        "topics": [{"topic": text, **counted} for text in TEXTS],
        "conflicting_golds": [{"question": text, "answers": text} for text in TEXTS],
        "strata": None, "unused": 0, "repeats_kept": 0, "answer_types": [], "splits": {},
    }  # fmt: skip
    unreadable = [{"problem_id": text, "answer": text} for text in TEXTS]
    checks = {
        "problems": {"train": 1, "eval": 1},
        "contamination": {"split": "train", "ngram_words": 8, "benchmarks": []},
        "answer_types": [],
        "golds": {"grader": WHOLE, "readable": 1, "problems": 2, "unreadable": unreadable},
        "tokens": {"template": WHOLE, "tokenizer": WHOLE, "longer": 0, "limit": 3, "longest": 2, "bins": []},
        "duplicates": {"groups": WHOLE},
        "odd_characters": {"control_characters": 1, "direction_marks": 1},
    }
    return render_page(WHOLE, card, checks)


def audit_of_texts() -> tuple[list[dict], dict[str, str]]:
    """Records of an audit, and the title of their study."""
    empty = dict.fromkeys(audit_files.AUDIT_COLUMNS, "")
    verdicts = list(AuditVerdict)
    return [
        {
            **empty, **dict.fromkeys(("document", "id", "where", "sentence", "printed", "operands", "by"), text),
            **dict.fromkeys(("remark", "note", "found"), text), **dict.fromkeys(("lowest", "highest", "derived")),
            "study": "s", "verdict": verdicts[place % len(verdicts)],
        }
        for place, text in enumerate(TEXTS)
    ], {"s": WHOLE}  # fmt: skip


def model_card() -> str:
    """The card of a run whose names and settings are nasty; its header names no base of the hub."""
    settings = dict.fromkeys(("method", "model", "dataset", "template", "reward"), WHOLE)
    manifest = {
        "run_id": WHOLE, "tuner": {"a": 1}, "settings": {**settings, "rank": 8, "target_modules": TEXTS},
        "inputs": {"problems": 3, "train_sha256": "a"}, "steps": 3, "trainable_parameters": 5,
        "sha256": {"base_before": "b"}, "peft_config": {"peft_type": "LORA"},
    }  # fmt: skip
    text = card_text(manifest, None, None, {"studies": TEXTS, "scale": WHOLE, "comparable": False, "base": {}})
    return text.split("---\n", 2)[2]


def table_of_texts(folder: Path) -> Table:
    """A table with nasty headings, cells, notes, scope and provenance."""
    output = load_study(write_study(folder))["table1"]
    scope = ReportScope("t", True, [])
    found = compose(output, build_cells(output, evidence(), ReportScope("tiny", False, [])), scope, [])
    more = [TextColumn("words", ("", text), [text] * len(found.keys)) for text in TEXTS]
    return Table(output, found.keys, [*found.columns, *more], found.verdicts, TEXTS, WHOLE, TEXTS)


def parameter_table(folder: Path) -> str:
    """The printed counts of rows whose labels are nasty; all three formats are written."""
    counts = {"trainable_parameters": 5, "base_parameters": 10}
    printed = [
        {"study": "s", "output": text, "label": text, "model": text, "printed": "5", "unit": "parameters", **counts}
        for text in TEXTS
    ]
    (folder / "counts.json").write_text(json.dumps(printed))
    write_parameters(folder / "counts.json", {name: folder / name for name in ("printed", "launch")})
    latex = (folder / "printed.tex").read_text()
    assert latex.isascii() and "\\input" not in latex and "\\write18" not in latex
    return (folder / "printed.md").read_text()


def test_markdown_of_every_writer_is_text(tmp_path: Path) -> None:
    assert_plain_markdown(card_of_texts())
    assert_plain_markdown(audit_files.to_markdown(*audit_of_texts()))
    assert_plain_markdown(model_card())
    assert_plain_markdown(to_markdown(table_of_texts(tmp_path / "study")))
    assert_plain_markdown(parameter_table(tmp_path))


def test_a_comment_ends_where_it_is_meant_to(tmp_path: Path) -> None:
    table = table_of_texts(tmp_path)
    assert to_markdown(table).count("-->") == 1
    comment, _, rest = to_latex(table).partition("\\begin{table}")
    assert comment.isascii() and all(line.startswith("% ") for line in comment.splitlines())
    assert rest.count("\\end{table}") == 1
    assert comment_line("a -->\n\u202eb\u00e9") == "a --&gt; \\u202eb\\xe9"


def test_a_table_of_latex_is_ascii(tmp_path: Path) -> None:
    assert to_latex(table_of_texts(tmp_path)).isascii()


def test_what_the_terminal_shows_of_an_audit_moves_no_cursor() -> None:
    assert not HIDDEN & set(audit_files.to_summary(*audit_of_texts()))


def test_code_of_a_model_card_is_one_string() -> None:
    manifest = {"run_id": "r", "tuner": {}, "peft_config": {"peft_type": "LORA"}}
    from rlvr.report.model_cards import loading_text

    name = 'x"); import os; os.system("id") #\n```'
    code = loading_text(manifest, name).removeprefix("```python\n").removesuffix("\n```")
    texts = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    assert texts == [name, "<this folder>"]


def test_pages_hide_nothing_and_hold_their_own_tags_only(tmp_path: Path) -> None:
    score = {"k": 1, "value": 0.5, "low": 0.4, "high": 0.6, "base": None}
    names = ("run_id", "setting", "model", "dataset", "method")
    runs = [{**dict.fromkeys(names, text), "seed": 1, "trainable": 1, "share": 1.0, "steps": 2, "scores": {text: score}}
            for text in TEXTS]  # fmt: skip
    page = page_text(runs, {"scale": WHOLE, "tier": WHOLE, "comparable": False}, ROOT / "paper/runs")
    assert not HIDDEN & set(page) and "<svg onload" not in page and "<script>alert" not in page
    data = json.loads(page.partition('type="application/json">')[2].partition("</script>")[0])
    assert not HIDDEN & set("".join(run["run_id"] for run in data["runs"]))
    (tmp_path / "t.j2").write_text('<p title="{{ text }}">{{ text }}</p>{{ text | length }}')
    shown = page_environment(tmp_path).get_template("t.j2").render(text=WHOLE)
    assert not HIDDEN & set(shown) and shown.endswith(f"</p>{len(WHOLE)}") and "<svg" not in shown


def test_csv_is_read_back_line_by_line_whatever_its_cells_hold() -> None:
    texts = [*TEXTS, "long " * 60_000]
    text = csv_text(pd.DataFrame({"text": texts, "number": range(len(texts))}))
    limit = csv.field_size_limit()
    columns, lines = records_of(text)
    assert columns == ["text", "number"] and [int(line["number"]) for line in lines] == list(range(len(texts)))
    assert len(pd.read_csv(io.StringIO(text))) == len(texts)
    assert not HIDDEN & set(text) and csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": "half \\ud800 of a pair"}\n', "half a character"),
        (b'{"\\uDFFF": 1}\n', "half a character"),
        (b"[" * 100_000 + b"]" * 100_000, "recursion"),
        (b'{"a": ' + b"9" * 5000 + b"}\n", "4300 digits"),
    ],
    ids=["half a pair", "half a pair as key", "brackets", "digits"],
)
def test_json_that_python_cannot_hold_is_refused_by_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": "\\ud83d\\ude00 a whole pair"}\n' + content)
    with pytest.raises(InputError, match=f"line 2.*{reason}"):
        read_records(path)


def test_rows_that_were_saved_on_windows_are_read(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}\r\n')
    assert read_records(tmp_path / "rows.jsonl") == [{"a": 1}, {"a": 2}]


def test_json_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="not valid JSON"):
        read_json(tmp_path / "deep.json")


def calls_in_the_library() -> list[tuple[str, ast.Call]]:
    """Every call of the library, with the file that it stands in."""
    library = ROOT / "workflow/lib/rlvr"
    return [
        (str(path.relative_to(library)), node)
        for path in sorted(library.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def test_data_frames_become_text_in_one_place() -> None:
    """A new writer goes through what escapes."""
    allowed = {"to_markdown": {"core/escaping.py", "report/render.py"}, "to_csv": {"core/csvfile.py"}}
    allowed["to_latex"] = {"report/render.py", "report/parameter_tables.py"}
    digests = {"report/files.py"}  # hashes the text of a table, which nobody reads
    found = {
        (path, call.func.attr)
        for path, call in calls_in_the_library()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in allowed
        and any(each.arg == "index" for each in call.keywords)
    }
    assert {(path, name) for path, name in found if path not in allowed[name] | digests} == set()


def test_every_text_file_is_utf_8_whatever_the_locale() -> None:
    lacking = [
        f"{path}:{call.lineno}"
        for path, call in calls_in_the_library()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ("read_text", "write_text")
        and isinstance(call.func.value, ast.Name | ast.Call | ast.BinOp | ast.Attribute)
        and all(each.arg != "encoding" for each in call.keywords)
    ]
    assert lacking == []
