"""Cells as CSV, Markdown, LaTeX and JSON; every format from the same texts."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rlvr.core.escaping import comment_line, markdown_cell, visible_texts
from rlvr.plan.outputs import SEED_MEANS, Column, Output, selected_runs
from rlvr.plan.printed import MINUS, format_value
from rlvr.plan.selection import BASE_SUFFIX
from rlvr.plan.verdict_words import CellVerdict
from rlvr.report.cells import ReportScope

FAILED = "failed"
DASH = "\N{EN DASH}"
OF_BASES = "; an untrained base has neither seeds nor trained parameters"
DIFFERS = "\N{DAGGER}"
UNKNOWN = "\N{DOUBLE DAGGER}"
LOST = "lost"
LEAST_LOST = 1e-3  # of the update: below, nothing is lost in any printed digit
PAPER = "Paper"  # heading of the columns of printed numbers
TEX_GREY = r"\textcolor[gray]{0.4}{%s}"
TEX_CHARACTERS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"$\sim$", "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$", DASH: "--", MINUS: "$-$",
    DIFFERS: r"$^\dagger$", UNKNOWN: r"$^\ddagger$",
    "\N{GREEK SMALL LETTER ALPHA}": r"$\alpha$", "\N{GREEK CAPITAL LETTER DELTA}": r"$\Delta$",
    "\n": r"\newline{}", "\N{ELEMENT OF}": r"$\in$", "\N{LESS-THAN OR EQUAL TO}": r"$\le$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\ge$", "\N{GREEK SMALL LETTER BETA}": r"$\beta$", "\N{DEGREE SIGN}": r"$^\circ$",
    "\N{CHECK MARK}": r"$\surd$", "\N{LEFT DOUBLE QUOTATION MARK}": "``", "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
    "\N{PLUS-MINUS SIGN}": r"$\pm$", "\N{MULTIPLICATION SIGN}": r"$\times$",
}  # fmt: skip


@dataclass(frozen=True)
class TextColumn:
    """One column of a printed table.

    Attributes:
        kind: ``label``, ``ours`` (reproduced numbers), ``printed`` (the paper's, shown in grey) or ``words`` (running
            text, set to the left).
        header: Its heading, as many levels as the table has.
        texts: One text per row.
        is_words: Whether its texts are words rather than numbers, and stand to the left.
    """

    kind: str
    header: tuple[str, ...]
    texts: list[str]
    is_words: bool = False

    @property
    def alignment(self) -> str:
        """``left`` or ``right``."""
        return "left" if self.is_words or self.kind in ("label", "words") else "right"


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        output: What it shows.
        keys: Key of every row.
        columns: Columns from left to right, label columns first.
        verdicts: For every row its verdicts, one per column of cells, or one where a row as a whole has one.
        notes: Sentences that explain brackets, dashes and marks, only those that occur.
        scope: What holds for every table of this scale; a document says it once, not under each table.
        provenance: Where the numbers come from, one line each.
    """

    output: Output
    keys: list[str]
    columns: list[TextColumn]
    verdicts: list[list[str]]
    notes: list[str]
    scope: str
    provenance: list[str]

    @property
    def headers(self) -> list[tuple[str, ...]]:
        """Heading of every column, all with the same number of levels (1 or 2)."""
        return [column.header for column in self.columns]

    @property
    def texts(self) -> list[list[str]]:
        """One list per row: the texts of all columns."""
        return [list(row) for row in zip(*(column.texts for column in self.columns), strict=True)]


def compose(output: Output, cells: pd.DataFrame, scope: ReportScope, provenance: list[str]) -> Table:
    """Turn the cells of an output into texts."""
    found = {(line["row"], line["column"]): str(line["verdict"]) for line in cells.to_dict("records")}
    return Table(
        output=output,
        keys=[row.key for row in output.rows],
        columns=text_columns(output, cells, scope.failed),
        verdicts=[[found[row.key, column.key] for column in output.columns] for row in output.rows],
        notes=[*notes(output, cells), *(f"{FAILED}: {run_id} (log: {log})." for run_id, log in scope.failed.items())],
        scope=" ".join(scope_notes(scope)),
        provenance=provenance,
    )


def text_columns(output: Output, cells: pd.DataFrame, failed: Collection[str] = ()) -> list[TextColumn]:
    """The columns of a table, printed numbers in columns of their own.

    A printed number that stands beside one column follows it; one that stands beside several (two readings of the same
    setting) comes once, behind all of them.

    Args:
        output: What the table shows.
        cells: ``tables.CELLS``.
        failed: Runs that were started and are not finished; a cell that lacks one of them says so.
    """
    by_place = {(line["row"], line["column"]): line for line in cells.to_dict("records")}
    levels = max(len(column.header) for column in output.columns)
    sharing: dict[str, list[Column]] = {}
    for column in output.columns:
        if any(by_place[row.key, column.key]["printed"] for row in output.rows):
            sharing.setdefault(column.printed or column.key, []).append(column)
    found = [
        TextColumn("label", _levels((name,), levels), [row.labels[place] for row in output.rows])
        for place, name in enumerate(output.labels)
    ]
    for column in output.columns:
        cells_of = [by_place[row.key, column.key] for row in output.rows]
        lacking = [bool(set(failed).intersection(selected_runs(row, column))) for row in output.rows]
        texts = [
            FAILED if lacks and cell["verdict"] == CellVerdict.NOT_RUN else cell_text(cell)
            for lacks, cell in zip(lacking, cells_of, strict=True)
        ]
        found.append(TextColumn("ours", _levels(column.header, levels), texts))
        if sharing.get(column.printed or column.key) == [column]:
            header = (*_levels(column.header, levels)[:-1], PAPER)
            found.append(TextColumn("printed", header, [cell["printed"] for cell in cells_of]))
    for columns in sharing.values():
        if len(columns) > 1:
            found.append(_shared_column(columns[0], output, levels))
    return found


def _shared_column(column: Column, output: Output, levels: int) -> TextColumn:
    """The printed numbers that stand beside several columns; they are those beside the first of them."""
    name = column.header[-1]
    header = (PAPER, name) if levels > 1 else (f"{PAPER}: {name}",)
    return TextColumn("printed", header, [output.printed(row, column) or "" for row in output.rows])


def _levels(header: tuple[str, ...], levels: int) -> tuple[str, ...]:
    return ("",) * (levels - len(header)) + header


def cell_text(cell: Mapping[Any, Any]) -> str:
    """One reproduced cell with its 95 % interval, e.g. ``46.6 [43.1, 50.2]``.

    A dash stands for a number that was not run; a dagger marks one that differs from the printed number. Where rounding
    removed part of the update before it was sampled, the share stands behind: ``46.6 [43.1, 50.2], 3 % lost``.
    """
    text = reproduced_text(cell)
    if not math.isnan(cell["low"]):
        low, high = (format_value(cell[end], cell["decimals"], cell["unit"]) for end in ("low", "high"))
        text = f"{text} [{low}, {high}]"
    return f"{text}, {100 * cell['lost_share']:.2g} % {LOST}" if is_lost(cell) else text


def is_lost(cell: Mapping[Any, Any]) -> bool:
    """Whether rounding removed a part of the update that a reader would notice."""
    return bool(cell["lost_share"] >= LEAST_LOST)


def reproduced_text(cell: Mapping[Any, Any]) -> str:
    """The reproduced number of a cell alone."""
    if cell["verdict"] == CellVerdict.NOT_RUN:
        return DASH
    mark = {CellVerdict.DIFFERS: DIFFERS, CellVerdict.SPREAD_UNKNOWN: UNKNOWN}.get(cell["verdict"], "")
    return format_value(cell["value"], cell["decimals"], cell["unit"]) + mark


def notes(output: Output, cells: pd.DataFrame) -> list[str]:
    """Notes that a reader of the cells needs, each a full sentence."""
    found = []
    if cells["reported"].notna().any():
        found.append(f"{PAPER}: the number as the paper prints it.")
    if cells["low"].notna().any():
        with_interval = set(cells.loc[cells["low"].notna(), "column"])
        kinds = interval_kinds(column for column in output.columns if column.key in with_interval)
        found.append(f"In brackets: 95 % interval, {kinds}.")
    if cells["verdict"].eq(CellVerdict.DIFFERS).any():
        found.append(
            f"{DIFFERS}: further from the printed number than 95 of 100 faithful repetitions are (seed, problems and "
            "samples on either side; z in the table's CSV), or an exact count that is not printed so."
        )
    if cells["verdict"].eq(CellVerdict.SPREAD_UNKNOWN).any():
        found.append(f"{UNKNOWN}: another choice of problems does not explain the difference; no seeds tell more.")
    if any(map(is_lost, cells.to_dict("records"))):
        found.append(f"{LOST}: share of the update that rounding removed from the weights that were sampled.")
    if cells["verdict"].eq(CellVerdict.NOT_RUN).any():
        found.append(f"{DASH}: no run for it in the selected tier of the grid{OF_BASES if has_base(cells) else ''}.")
    return found


def has_base(cells: pd.DataFrame) -> bool:
    """Whether a table shows an untrained base, of which some cells say nothing."""
    return bool(cells["runs"].str.endswith(BASE_SUFFIX).any())


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
        "difference": "of a difference paired by problems, with the selection of its two terms",
        "max": "of a largest value with its selection",
        "mean": "of a mean by Student's t over seeds",
        "std": "of a standard deviation by chi-square",
    }
    score = "of a score over problems, for its seed alone (modified Wilson interval for an effective number of answers)"
    spectrum = "of an estimated spectrum from its standard error"
    over_seeds = {
        "difference": "of a difference of means over seeds, paired by seeds and problems, with its selection",
        "max": "of a largest mean over seeds with its selection",
    }
    kinds = [
        (over_seeds if column.over == SEED_MEANS else reduced).get(
            column.reduce, score if column.is_score else spectrum
        )
        for column in columns
    ]
    return "; ".join(dict.fromkeys(kinds))


def to_markdown(table: Table) -> str:
    """A pipe table with caption, notes and a provenance comment."""
    headers = [markdown_cell(" ".join(filter(None, header))) for header in table.headers]
    safe = [[markdown_cell(text) for text in row] for row in table.texts]
    body = pd.DataFrame(safe, columns=headers).to_markdown(index=False, disable_numparse=True)
    comment = "<!-- " + "\n     ".join(map(comment_line, table.provenance)) + " -->"
    footer = "\n".join(f"- {markdown_cell(note)}" for note in [table.scope, *table.notes] if note)
    return f"{comment}\n\n{markdown_cell(table.output.caption)}\n\n{body}\n\n{footer}\n"


def to_latex(table: Table) -> str:
    """A floating booktabs table (needs ``booktabs``, ``xcolor``): caption, label, notes, provenance as a comment."""
    headers = [tuple(escape_tex(level) for level in header) for header in table.headers]
    levels = len(headers[0])
    columns = pd.MultiIndex.from_tuples(headers) if levels > 1 else pd.Index([header[0] for header in headers])
    texts = [[_tex_cell(text, column.kind) for text in column.texts] for column in table.columns]
    frame = pd.DataFrame(list(zip(*texts, strict=True)))
    frame.columns = columns
    body = frame.style.hide(axis="index").to_latex(
        hrules=True, column_format="".join(_tex_alignments(table.columns)), multicol_align="c"
    )
    comment = "".join(f"% {comment_line(line)}\n" for line in [*table.provenance, *filter(None, [table.scope])])
    remarks = escape_tex(" ".join(table.notes))
    return (
        f"{comment}\\begin{{table}}[t]\n\\centering\n\\caption{{{escape_tex(table.output.caption)}}}\n"
        f"\\label{{tab:{table.output.key}}}\n\\small\n{body}\n\\par\\footnotesize {remarks}\n\\end{{table}}\n"
    )


def _tex_alignments(columns: Sequence[TextColumn]) -> list[str]:
    """Labels to the left, numbers to the right, running text in paragraphs that share four fifths of a line."""
    words = sum(column.kind == "words" for column in columns)
    paragraph = f"p{{{0.8 / max(words, 1):.2f}\\linewidth}}"
    return [paragraph if column.kind == "words" else column.alignment[0] for column in columns]


def _tex_cell(text: str, kind: str) -> str:
    escaped = escape_tex(text)
    return TEX_GREY % escaped if kind == "printed" and text else escaped


def escape_tex(text: str) -> str:
    """Text that LaTeX prints as it is, in ASCII: what is no known character is written as its code point."""
    return "".join(TEX_CHARACTERS.get(character) or _tex_character(character) for character in text)


def _tex_character(character: str) -> str:
    return character if " " <= character <= "~" else rf"\texttt{{U+{ord(character):04X}}}"


def to_json(table: Table) -> dict[str, Any]:
    """The table as the Typst document reads it: captions, headings and texts; no number is left for it to format.

    ``kinds`` says of every column whether it holds labels, reproduced numbers (``ours``), ``printed`` ones, which a
    document sets in grey, or ``words``; ``alignments`` where each stands; ``scope`` is what holds for the whole scale.
    """
    content = {
        "output": table.output.key,
        "caption": table.output.full_caption,
        "label_columns": len(table.output.labels),
        "kinds": [column.kind for column in table.columns],
        "alignments": [column.alignment for column in table.columns],
        "headers": [list(header) for header in table.headers],
        "rows": [
            {"key": key, "texts": texts, "verdicts": verdicts}
            for key, texts, verdicts in zip(table.keys, table.texts, table.verdicts, strict=True)
        ],
        "notes": table.notes,
        "scope": table.scope,
        "provenance": table.provenance,
    }
    return dict(visible_texts(content))
