"""The HTML report: one self-contained page over the selected studies, from the files that the documents read.

Every text is escaped by the template engine; data and pictures are embedded, so that the page needs no network.
"""

import base64
import csv
import io
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.csvfile import records_of
from rlvr.core.escaping import visible, visible_texts
from rlvr.core.io import atomic_path, read_json
from rlvr.core.provenance import repository_state
from rlvr.core.schemas import read_text
from rlvr.plan.verdict_words import AuditVerdict

if TYPE_CHECKING:
    from jinja2 import Environment

PREVIEW_ROWS = 30  # of a figure's data; all of them are in its download
DISPLAY_DPI = 110  # at which pictures are shown before they are enlarged
PICTURE_DPI = 300  # of the files (paper/style.mplstyle)
KINDS = {
    "claims": "Claims",
    "table": "Tables",
    "figure": "Figures",
    "audit": "The papers' arithmetic",
    "coverage": "What was run",
    "assumptions": "Assumptions and departures",
}
SPOKEN = {"full": ("full", "fft")}  # words by which texts call a method, where not by its name
OUTCOMES = ("not run", "undecided", "one seed", "fails", "holds")  # the first that a verdict contains
HIDDEN = ("outcome", "methods", "group", "comparisons")
LEADING = ("verdict", "sentence", "numbers", "where")  # columns that stand first, in this order
LONG_TEXT = 60  # characters, from which on a column is given more room
TAGS_CAPTION = (
    "What the paper does not print (ASSUME), where the reproduction departs (DEVIATION), and where a setting is "
    "printed (SOURCE)."
)
Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class StudyFiles:
    """What the page shows of one study.

    Attributes:
        facts: ``name`` and ``title``, as documents take them.
        numbers: ``numbers.json``.
        claims: ``claims.json``.
        audit: ``audit.json``.
        tags: ``assumptions.json``.
        tables: JSON of each table by name; its cells lie beside it as CSV.
        figures: PNG of each figure by name; its data lie beside it as CSV.
        captions: Captions of the figures by name.
    """

    facts: Mapping[str, Any]
    numbers: str
    claims: str
    audit: str
    tags: str
    tables: Mapping[str, str]
    figures: Mapping[str, str]
    captions: Mapping[str, str]

    @classmethod
    def of(cls, files: Mapping[str, Any]) -> "StudyFiles":
        """The files of a study as a rule hands them over; lists of tables and figures become paths by name."""
        by_name = {kind: {Path(path).stem: path for path in files[kind]} for kind in ("tables", "figures")}
        return cls(**{**files, **by_name})


def write_page(studies: Iterable[StudyFiles], tier: str, templates: str | Path, html_path: str) -> None:
    """Write the page.

    Args:
        studies: What each study shows.
        tier: Name of the selected tier.
        templates: Folder of ``report.html.j2`` and of what it includes.
        html_path: Where the page goes.
    """
    environment = page_environment(templates, trim_blocks=True, lstrip_blocks=True)
    text = environment.get_template("report.html.j2").render(page_content(list(studies), tier))
    with atomic_path(html_path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def page_environment(templates: str | Path, **options: Any) -> "Environment":
    """Templates of a page in which a text is a text: markup is escaped, hidden characters are written out.

    Args:
        templates: Folder of the templates.
        options: Of ``jinja2.Environment``.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    return Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, finalize=shown, **options
    )


def page_content(studies: Sequence[StudyFiles], tier: str) -> dict[str, Any]:
    """What the template is given: texts, encoded files, and the choices of its filters."""
    shown = [study_content(files) for files in studies]
    study = read_json(studies[0].numbers)["study"] if studies else {"scale": "", "note": ""}
    outputs = [output["name"] for each in shown for output in (*each["tables"], *each["figures"])]
    state = repository_state()
    return {
        "title": "Which adapter for reinforcement learning with verifiable rewards?",
        "scale": study["scale"],
        "note": study["note"],
        "tier": tier,
        "commit": str(state["commit"] or "unknown")[:12] + (" with local changes" if state["dirty"] else ""),
        "studies": shown,
        "kinds": KINDS,
        "names": sorted(dict.fromkeys(outputs), key=_natural),
        "methods": sorted({method for each in shown for method in each["methods"]}),
    }


def study_content(files: StudyFiles) -> dict[str, Any]:
    """One study: lists of records, tables, figures."""
    numbers = read_json(files.numbers)
    methods_of = {run["run_id"]: run["method"] for run in numbers["runs"]}
    methods = sorted(set(methods_of.values()))
    return {
        "name": files.facts["name"],
        "title": files.facts["title"],
        "methods": methods,
        "lists": study_lists(files, numbers, methods),
        "tables": [table_content(name, path, methods_of) for name, path in files.tables.items()],
        "figures": [
            figure_content(name, path, files.captions[name], methods_of) for name, path in files.figures.items()
        ],
    }


def study_lists(files: StudyFiles, numbers: Mapping[str, Any], methods: Sequence[str]) -> list[dict[str, Any]]:
    """Claims, arithmetic, coverage, cost, runs and remarks of a study; a list without records is left out."""
    claims = [
        {**claim, "outcome": outcome_class(claim["verdict"]), "methods": spoken_methods(claim["sentence"], methods)}
        for claim in read_json(files.claims)["claims"]
    ]
    runs = [_run_record(run) for run in numbers["runs"]]
    groups = [{**group, "methods": [group["method"]]} for group in numbers["coverage"]["groups"]]
    costs = [{**group, "methods": [group["method"]]} for group in numbers["compute"]["groups"]]
    audit = [{**entry, "outcome": audit_class(entry["verdict"])} for entry in read_json(files.audit)]
    found = [
        _list("claims", "Claims", "The paper's statements in our words, judged on reproduced numbers.", claims),
        _list("audit", "The paper against itself", "Statements of the paper, re-derived from what it prints.", audit),
        _list("groups", "What was run", "Runs of the grid by base, data and method.", groups, "coverage", "grid"),
        _list("runs", "Every run", "Runs of the grid with cost and scores (Avg@k, %).", runs, "coverage", "grid"),
        _list("compute", "What it cost", "Training by base and method.", costs, "coverage", "numbers"),
        _list("assumptions", "Assumptions and departures", TAGS_CAPTION, read_json(files.tags)),
    ]
    return [each for each in found if each["rows"]]


def _run_record(run: Mapping[str, Any]) -> dict[str, Any]:
    scores = "; ".join(f"{name} {score}" for name, score in run.get("scores", {}).items())
    return {**run, "scores": scores, "methods": [run["method"]] if run["method"] else []}


def _list(name: str, heading: str, caption: str, rows: Records, kind: str = "", target: str = "") -> dict[str, Any]:
    """A list as the template shows it; its columns are the keys of its records that differ between them.

    The CSV has every key that is not empty everywhere.
    """
    keys = list(dict.fromkeys(key for row in rows for key in row if key not in HIDDEN))
    filled = [key for key in keys if any(str(row.get(key, "")) not in ("", "None") for row in rows)]
    filled.sort(key=lambda key: LEADING.index(key) if key in LEADING else len(LEADING))
    shown = [
        key for key in filled if key in LEADING or len(rows) == 1 or len({_plain(row.get(key)) for row in rows}) > 1
    ]
    long = {key for key in shown if any(len(_plain(row.get(key))) > LONG_TEXT for row in rows)}
    return {
        "name": name,
        "kind": kind or name,
        "target": target or name,
        "heading": heading,
        "caption": caption,
        "columns": [(key, key.replace("_", " ").capitalize(), key in long) for key in shown],
        "rows": [{**row, **{key: _plain(row.get(key)) for key in filled}} for row in rows],
        "csv": encoded(to_csv(filled, rows)),
    }


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def table_content(name: str, path: str, methods_of: Mapping[str, str]) -> dict[str, Any]:
    """A table as the template shows it, from its JSON and the CSV of its cells."""
    table = read_json(path)
    data = read_text(Path(path).with_suffix(".csv"))
    by_row = row_methods(records_of(data)[1], methods_of)
    kinds = table["kinds"]
    rows = [
        {
            "methods": sorted(by_row.get(row["key"], ())),
            "cells": [{"kind": kind, "text": text} for kind, text in zip(kinds, row["texts"], strict=True)],
        }
        for row in table["rows"]
    ]
    return {
        "name": name,
        "heading": output_heading(name),
        "caption": table["caption"],
        "headings": [heading_row(table["headers"], kinds, level) for level in range(len(table["headers"][0]))],
        "rows": rows,
        "notes": table["notes"],
        "methods": sorted(set().union(*by_row.values())) if by_row else [],
        "csv": encoded(data),
    }


def heading_row(headers: Sequence[Sequence[str]], kinds: Sequence[str], level: int) -> list[dict[str, Any]]:
    """One level of a table's heading; equal neighbours above the last level are joined."""
    cells: list[dict[str, Any]] = []
    joins = level < len(headers[0]) - 1
    for header, kind in zip(headers, kinds, strict=True):
        text = header[level]
        if joins and text and cells and cells[-1]["text"] == text:
            cells[-1]["span"] += 1
        else:
            cells.append({"text": text, "span": 1, "kind": kind})
    return cells


def figure_content(name: str, path: str, caption: str, methods_of: Mapping[str, str]) -> dict[str, Any]:
    """A figure as the template shows it, from its picture and the CSV of what was plotted."""
    picture = Path(path).read_bytes()
    data = read_text(Path(path).with_suffix(".csv"))
    columns, lines = records_of(data)
    width, height = png_size(picture)
    runs = {run for line in lines for run in (line.get("runs") or line.get("run_id") or "").split()}
    shown = [
        {**{key: _short(line[key]) for key in columns}, "methods": _methods_of_line(line, methods_of)}
        for line in lines[:PREVIEW_ROWS]
    ]
    return {
        "name": name,
        "heading": output_heading(name),
        "caption": caption,
        "png": base64.b64encode(picture).decode(),
        "width": round(width * DISPLAY_DPI / PICTURE_DPI),
        "height": round(height * DISPLAY_DPI / PICTURE_DPI),
        "columns": [(key, key, False) for key in columns],
        "rows": shown,
        "total": len(lines),
        "methods": sorted({methods_of[run] for run in runs if run in methods_of}),
        "csv": encoded(data),
    }


def _methods_of_line(line: Mapping[str, str], methods_of: Mapping[str, str]) -> list[str]:
    runs = (line.get("runs") or line.get("run_id") or "").split()
    return sorted({methods_of[run] for run in runs if run in methods_of})


def _short(text: str) -> str:
    """A number of a preview with five digits; other texts as they are."""
    if not re.fullmatch(r"-?\d+\.\d{5,}(e-?\d+)?", text):
        return text
    return f"{float(text):.5g}"


def row_methods(cells: Iterable[Mapping[str, str]], methods_of: Mapping[str, str]) -> dict[str, set[str]]:
    """The methods of the runs behind each row of a table, by row key."""
    found: dict[str, set[str]] = {}
    for cell in cells:
        methods = set(_methods_of_line(cell, methods_of))
        found.setdefault(cell.get("row", ""), set()).update(methods)
    return found


def spoken_methods(text: str, methods: Iterable[str]) -> list[str]:
    """The methods that a sentence names, whole words only.

    >>> spoken_methods("DoRA beats full fine-tuning.", ["lora", "dora", "full"])
    ['dora', 'full']
    """
    words = set(re.findall(r"[a-z0-9+-]+", text.lower()))
    return [method for method in methods if words.intersection(SPOKEN.get(method, (method,)))]


def outcome_class(verdict: str) -> str:
    """What a verdict on a claim comes to, as the name of a look: ``holds``, ``fails``, ``undecided`` or ``not-run``."""
    found = next((word for word in OUTCOMES if word in verdict.lower()), "undecided")
    return {"not run": "not-run", "one seed": "undecided"}.get(found, found)


def audit_class(verdict: str) -> str:
    """The look of a verdict of the audit."""
    if verdict in (AuditVerdict.FOLLOWS, AuditVerdict.WITHIN_ROUNDING):
        return "holds"
    return "undecided" if verdict in (AuditVerdict.CANNOT_BE_CHECKED, AuditVerdict.WITHIN_CHANCE) else "fails"


def output_heading(name: str) -> str:
    """``table4`` as ``Table 4``, ``figureS2`` as ``Figure S2``."""
    kind, number = re.fullmatch(r"(table|figure)(\w+)", name).groups()  # type: ignore[union-attr]
    return f"{kind.capitalize()} {number}"


def png_size(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG in pixels.

    SOURCE: the PNG specification: the header chunk comes first, with both as big-endian 32-bit numbers from byte 16.
    """
    width, height = struct.unpack(">II", picture[16:24])
    return int(width), int(height)


def encoded(text: str) -> str:
    """A text in Base64, as data URIs take it."""
    return base64.b64encode(text.encode()).decode()


def to_csv(columns: Sequence[str], rows: Records) -> str:
    """Records as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(visible_texts([_plain(row.get(key)) for key in columns]) for row in rows)
    return stream.getvalue()


def _natural(name: str) -> tuple[str, int]:
    letters, digits = re.fullmatch(r"(\D+)(\d+)", name).groups()  # type: ignore[union-attr]
    return letters, int(digits)
