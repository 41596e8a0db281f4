"""Every statement of a study judged: rows of ``audit.csv``."""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.verdict_words import AuditVerdict
from rlvr.report.audit.arithmetic_kinds import ARITHMETIC
from rlvr.report.audit.comparing_kinds import COMPARING
from rlvr.report.audit.findings import Finding, Question
from rlvr.report.audit.printed_cells import Cell, PrintedCells
from rlvr.report.audit.statements import REFERENCE, Statement, load_places, load_statements
from rlvr.stats.derivations import MULTIPLIERS, NUMBER

KINDS: Mapping[str, Callable[[Question], Finding]] = {**ARITHMETIC, **COMPARING}
GAP = re.compile(r"\?([^;<>=|@]+)")
EXACT = re.compile(r"(?<=\d)!")  # marks an exact number for us
QUOTED = re.compile(r"'[^']*'")
SHOWN_CELLS = 12  # of a reference with a star, in the text that readers see
AUDIT_COLUMNS = (
    "study", "document", "id", "where", "sentence", "kind", "printed", "unit", "operands", "derived", "lowest",
    "highest", "verdict", "found", "by", "remark", "note",
)  # fmt: skip


def audit_study(folder: Path, configurations: Path) -> list[dict[str, Any]]:
    """Judge every statement of a study.

    Args:
        folder: ``workflow/studies/<study>``; the studies beside it may be referred to.
        configurations: Folder of the real models' ``config.json``.

    Returns:
        One record with the keys ``AUDIT_COLUMNS`` per statement, in the order of the file; ``by`` holds places joined
        by commas, numbers are floats of at most six significant digits or none, ``found`` says for readers what came
        out (``remark`` where there is one, otherwise the derived number).

    Raises:
        InputError: Names file, line and what is wrong with a statement.
    """
    cells = PrintedCells(folder.parent, configurations)
    places = load_places(folder)
    return [
        record_of(folder.name, statement, cells, places.get(statement.document, {}))
        for statement in load_statements(folder, cells, KINDS)
    ]


def record_of(
    study: str, statement: Statement, cells: PrintedCells, places: Mapping[str, frozenset[str]]
) -> dict[str, Any]:
    """One statement with its verdict."""

    def find(reference: str) -> list[Cell]:
        return cells.find(study, reference, statement.origin)

    question = Question(statement, find, places)
    finding = judge(question)
    return {
        "study": study,
        "document": statement.document,
        "id": statement.id,
        "where": statement.where,
        "sentence": statement.sentence,
        "kind": statement.kind,
        "printed": question.shown,
        "unit": statement.unit,
        "operands": show(statement.operands, find),
        "derived": _float(finding.derived),
        "lowest": _float(finding.low),
        "highest": _float(finding.high),
        "verdict": str(finding.verdict),
        "found": finding.remark or as_printed(finding.derived, question.printed_text),
        "by": ", ".join(finding.by),
        "remark": finding.remark,
        "note": statement.note,
    }


def judge(question: Question) -> Finding:
    """The finding of one statement; a number that it needs and the paper does not print leaves it unchecked."""
    if gaps := [gap.strip() for gap in GAP.findall(QUOTED.sub("", question.statement.operands))]:
        return Finding(AuditVerdict.CANNOT_BE_CHECKED, remark=f"not printed: {'; '.join(gaps)}")
    try:
        return KINDS[question.statement.kind](question)
    except InputError:
        raise
    except ValueError as error:  # arithmetic that refuses its numbers: too few seeds, a divisor that may be zero
        raise question.mistake(str(error)) from error


def show(operands: str, find: Callable[[str], list[Cell]]) -> str:
    """Operands as readers see them: each reference replaced by what is printed there."""

    def text(match: re.Match[str]) -> str:
        texts = [cell.text for cell in find(match[1])]
        rest = f" and {len(texts) - SHOWN_CELLS} more" if len(texts) > SHOWN_CELLS else ""
        return ", ".join(texts[:SHOWN_CELLS]) + rest

    return EXACT.sub("", REFERENCE.sub(text, operands))


def as_printed(value: Fraction | float | None, printed: str) -> str:
    """A derived number as the paper would print it: with its suffix and one more digit than it shows.

    >>> as_printed(87_293_952, "87.2M"), as_printed(220_541, "217,541"), as_printed(10.602, "10.4")
    ('87.29M', '220,541', '10.60')
    """
    if value is None:
        return ""
    match = NUMBER.fullmatch(printed.strip())
    suffix = match["suffix"] if match else ""
    scaled = float(value) / MULTIPLIERS[suffix]
    decimals = 0 if scaled == int(scaled) and not (match and match["decimals"]) else 1
    decimals += len(match["decimals"] or "") if match else 2
    return f"{scaled:,.{decimals}f}{suffix}"


def _float(value: Fraction | float | None) -> float | None:
    return None if value is None else float(f"{float(value):.6g}")
