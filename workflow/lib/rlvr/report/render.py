"""Cells as CSV, Markdown, LaTeX and JSON; every format from the same texts."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rlvr.plan.outputs import Column, Output
from rlvr.plan.printed import MINUS, format_value
from rlvr.plan.verdict_words import CellVerdict
from rlvr.report.cells import ReportScope

DASH = "\N{EN DASH}"
DIFFERS = "\N{DAGGER}"
TEX_CHARACTERS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"$\sim$", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$", DASH: "--", MINUS: "$-$",
    DIFFERS: r"$^\dagger$", "\N{GREEK SMALL LETTER ALPHA}": r"$\alpha$", "\N{GREEK CAPITAL LETTER DELTA}": r"$\Delta$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$", "\N{MULTIPLICATION SIGN}": r"$\times$",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        output: What it shows.
        cells: ``tables.CELLS`` of the output.
        texts: One list per row: label texts, then cell texts.
        notes: Sentences that explain brackets, dashes and marks, only those that occur.
        provenance: Where the numbers come from, one line each.
    """

    output: Output
    cells: pd.DataFrame
    texts: list[list[str]]
    notes: list[str]
    provenance: list[str]

    @property
    def headers(self) -> list[tuple[str, ...]]:
        """Heading of every column, label columns first, all with the same number of levels (1 or 2)."""
        levels = max(len(column.header) for column in self.output.columns)
        headers = [(name,) for name in self.output.labels] + [column.header for column in self.output.columns]
        return [("",) * (levels - len(header)) + header for header in headers]


def compose(output: Output, cells: pd.DataFrame, scope: ReportScope, provenance: list[str]) -> Table:
    """Turn the cells of an output into texts."""
    by_place = {(line["row"], line["column"]): line for line in cells.to_dict("records")}
    texts = [
        [*row.labels, *(cell_text(by_place[row.key, column.key]) for column in output.columns)] for row in output.rows
    ]
    return Table(output, cells, texts, notes(output, cells, scope), provenance)


def cell_text(cell: Mapping[Any, Any]) -> str:
    """One cell, e.g. ``46.6 [43.1, 50.2] (78.1)``: reproduced, its 95 % interval, as printed.

    A dash stands for a number that was not run; a dagger marks one that differs from the printed number.
    """
    parts = [reproduced_text(cell)]
    if not math.isnan(cell["low"]):
        low, high = (format_value(cell[end], cell["decimals"], cell["unit"]) for end in ("low", "high"))
        parts.append(f"[{low}, {high}]")
    if cell["printed"]:
        parts.append(f"({cell['printed']})")
    return " ".join(parts)


def reproduced_text(cell: Mapping[Any, Any]) -> str:
    """The reproduced number of a cell alone."""
    if cell["verdict"] == CellVerdict.NOT_RUN:
        return DASH
    mark = DIFFERS if cell["verdict"] == CellVerdict.DIFFERS else ""
    return format_value(cell["value"], cell["decimals"], cell["unit"]) + mark


def notes(output: Output, cells: pd.DataFrame, scope: ReportScope) -> list[str]:
    """Notes that a reader of the cells needs, each a full sentence."""
    found = scope_notes(scope)
    if cells["reported"].notna().any():
        found.append("In parentheses: the number that the paper prints.")
    if cells["low"].notna().any():
        with_interval = set(cells.loc[cells["low"].notna(), "column"])
        kinds = interval_kinds(column for column in output.columns if column.key in with_interval)
        found.append(f"In brackets: 95 % interval, {kinds}.")
    if cells["verdict"].eq(CellVerdict.DIFFERS).any():
        found.append(f"{DIFFERS}: the printed number, allowing for its rounding, lies outside of our interval.")
    if cells["verdict"].eq(CellVerdict.NOT_RUN).any():
        found.append(f"{DASH}: no run for it in the selected tier of the grid.")
    return found


def scope_notes(scope: ReportScope) -> list[str]:
    """Notes that hold for every output of a scale that is made of runs."""
    if scope.comparable:
        return [scope.remark] if scope.remark else []
    statement = (
        f"Scale '{scope.scale}': small stand-ins for models and data, trained here. They show the method at work and "
        "are not judged by the printed numbers."
    )
    return [f"{statement} {scope.remark}".strip()]


def interval_kinds(columns: Iterable[Column]) -> str:
    """Name the kinds of intervals of these columns, each once, in their order."""
    reduced = {
        "difference": "of a difference from the intervals of its two terms",
        "mean": "of a mean by Student's t over seeds",
    }
    score = "of a score over problems (modified Wilson interval for an effective number of answers)"
    spectrum = "of an estimated spectrum from its standard error"
    kinds = [reduced.get(column.reduce, score if column.is_score else spectrum) for column in columns]
    return "; ".join(dict.fromkeys(kinds))


def to_markdown(table: Table) -> str:
    """A pipe table with caption, notes and a provenance comment."""
    headers = [" ".join(filter(None, header)) for header in table.headers]
    safe = [[text.replace("|", r"\|") for text in row] for row in table.texts]
    body = pd.DataFrame(safe, columns=headers).to_markdown(index=False, disable_numparse=True)
    comment = "<!-- " + "\n     ".join(table.provenance) + " -->"
    footer = "\n".join(f"- {note}" for note in table.notes)
    return f"{comment}\n\n{table.output.caption}\n\n{body}\n\n{footer}\n"


def to_latex(table: Table) -> str:
    """A floating booktabs table (needs ``booktabs``) with caption, label, notes and a provenance comment."""
    headers = [tuple(escape_tex(level) for level in header) for header in table.headers]
    levels = len(headers[0])
    columns = pd.MultiIndex.from_tuples(headers) if levels > 1 else pd.Index([header[0] for header in headers])
    frame = pd.DataFrame([[escape_tex(text) for text in row] for row in table.texts])
    frame.columns = columns
    count = len(table.output.labels)
    body = frame.style.hide(axis="index").to_latex(
        hrules=True,
        column_format="l" * count + "r" * (len(headers) - count),
        multicol_align="c",
    )
    comment = "".join(f"% {line}\n" for line in table.provenance)
    remarks = escape_tex(" ".join(table.notes))
    return (
        f"{comment}\\begin{{table}}[t]\n\\centering\n\\caption{{{escape_tex(table.output.caption)}}}\n"
        f"\\label{{tab:{table.output.key}}}\n\\small\n{body}\n\\par\\footnotesize {remarks}\n\\end{{table}}\n"
    )


def escape_tex(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(TEX_CHARACTERS.get(character, character) for character in text)


def to_json(table: Table) -> dict[str, Any]:
    """The table as the Typst document reads it: captions, headings and texts; no number is left for it to format."""
    verdicts = {(line["row"], line["column"]): line["verdict"] for line in table.cells.to_dict("records")}
    keys = [column.key for column in table.output.columns]
    return {
        "output": table.output.key,
        "source": table.output.source,
        "caption": table.output.caption,
        "label_columns": len(table.output.labels),
        "headers": [list(header) for header in table.headers],
        "rows": [
            {"key": row.key, "texts": texts, "verdicts": [verdicts[row.key, key] for key in keys]}
            for row, texts in zip(table.output.rows, table.texts, strict=True)
        ],
        "notes": table.notes,
        "provenance": table.provenance,
    }
