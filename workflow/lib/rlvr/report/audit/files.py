"""The audit as files: CSV and JSON with every statement, Markdown to read, a summary for the terminal."""

import csv
import io
import json
import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.escaping import markdown_cell, visible
from rlvr.core.io import atomic_path, read_json, write_json
from rlvr.core.schemas import load_yaml
from rlvr.plan.study import study_names
from rlvr.plan.verdict_words import AuditVerdict
from rlvr.report.audit.judging import AUDIT_COLUMNS, audit_study

Record = Mapping[str, Any]
FOUND = (
    AuditVerdict.CONTRADICTED,
    AuditVerdict.DOES_NOT_FOLLOW,
    AuditVerdict.WITH_N,
    AuditVerdict.WITHIN_CHANCE,
    AuditVerdict.CANNOT_BE_CHECKED,
)
WIDTH = 100  # of the summary, in characters


@dataclass(frozen=True)
class AuditFiles:
    """Where an audit goes; ``summary`` is what the terminal shows, empty for none."""

    csv: str
    json: str
    md: str
    summary: str = ""


def audit_file(folder: str, configurations: str, titles: Mapping[str, str], files: AuditFiles) -> None:
    """Audit one study.

    Args:
        folder: ``workflow/studies/<study>``.
        configurations: Folder of the real models' ``config.json``.
        titles: Title of each study by name.
        files: Where to write.
    """
    write_audit(audit_study(Path(folder), Path(configurations)), titles, files)


def collect_audits(paths: Sequence[str], titles: Mapping[str, str], files: AuditFiles) -> None:
    """Join the audits of several studies (their ``audit.json``), in the order given."""
    write_audit([record for path in paths for record in read_json(path)], titles, files)


def audit_studies(
    folder: Path, names: Collection[str], configurations: Path
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Audit some studies of a folder.

    Args:
        folder: Folder of studies.
        names: Of them; none for all.
        configurations: Folder of the real models' ``config.json``.

    Returns:
        The records of :func:`rlvr.report.audit.judging.audit_study`, and the title of each study.

    Raises:
        InputError: For a study that is not there, or as ``audit_study``.
    """
    known = study_names(folder) if folder.is_dir() else []
    if unknown := [name for name in names if name not in known] or ([] if known else ["any"]):
        raise InputError(folder, f"has no study '{unknown[0]}'.", f"There are: {', '.join(known) or 'none'}.")
    chosen = [name for name in known if not names or name in names]
    titles = {name: str(load_yaml(folder / name / "study.yaml")["title"]) for name in chosen}
    return [record for name in chosen for record in audit_study(folder / name, configurations)], titles


def as_text(records: Sequence[Record], titles: Mapping[str, str], suffix: str, where: str) -> str:
    """Records in the format that a file's ending names.

    Raises:
        InputError: For another ending than .csv, .json and .md.
    """
    if suffix == ".csv":
        return to_csv(records)
    if suffix == ".json":
        return json.dumps(list(records), indent=2, ensure_ascii=False) + "\n"
    if suffix == ".md":
        return to_markdown(records, titles)
    raise InputError(where, f"ends in '{suffix}'.", "Choose .csv, .json or .md.")


def write_audit(records: Sequence[Record], titles: Mapping[str, str], files: AuditFiles) -> None:
    """Write records in every format."""
    write_json(list(records), files.json)
    _write(to_csv(records), files.csv)
    _write(to_markdown(records, titles), files.md)
    if files.summary:
        _write(to_summary(records, titles), files.summary)


def to_csv(records: Iterable[Record]) -> str:
    """Comma-separated rows with the columns ``AUDIT_COLUMNS``; an absent number is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, AUDIT_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def to_markdown(records: Sequence[Record], titles: Mapping[str, str]) -> str:
    """A page: per document the counts, then a table for each verdict, those that do not follow first."""
    lines = ["# The papers against themselves", ""]
    for (study, document), own in _documents(records).items():
        lines += [
            f"## {markdown_cell(titles.get(study, study))}: {markdown_cell(document)}",
            "",
            f"{_counts(own)}.",
            "",
        ]
        for verdict in (*FOUND, AuditVerdict.WITHIN_ROUNDING, AuditVerdict.FOLLOWS):
            chosen = [record for record in own if record["verdict"] == verdict]
            if chosen:
                lines += [f"### {verdict.capitalize()}", ""]
                lines += ["| id | where | statement, in our words | printed | from | derived | why |", "|" + "---|" * 7]
                lines += [_row(record) for record in chosen]
                lines.append("")
    return "\n".join(lines)


def to_summary(records: Sequence[Record], titles: Mapping[str, str]) -> str:
    """What the terminal shows: per document the counts, and each statement that does not simply follow."""
    lines = []
    for (study, document), own in _documents(records).items():
        lines += ["", f"{titles.get(study, study)} ({document})", f"  {_counts(own)}"]
        for verdict in FOUND[:3]:
            for record in own:
                if record["verdict"] == verdict:
                    text = f"{_verdict(record)}: {record['where']}: {record['sentence']}. {_numbers(record)}"
                    lines += textwrap.wrap(text, WIDTH, initial_indent="  - ", subsequent_indent="    ")
    found = Counter(record["verdict"] for record in records)
    lines += [
        "",
        f"All: {_counts(records)}.",
        f"{sum(found[verdict] for verdict in FOUND[:3])} statements do not follow.",
    ]
    return visible("\n".join(lines).lstrip("\n") + "\n")


def _documents(records: Iterable[Record]) -> dict[tuple[str, str], list[Record]]:
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        found.setdefault((record["study"], record["document"]), []).append(record)
    return found


def _counts(records: Sequence[Record]) -> str:
    found = Counter(record["verdict"] for record in records)
    parts = [f"{found[verdict]} {verdict}" for verdict in AuditVerdict if found[verdict]]
    return f"{len(records)} statements: {', '.join(parts)}"


def _verdict(record: Record) -> str:
    return f"{record['verdict']} by {record['by']}" if record["by"] else str(record["verdict"])


def _numbers(record: Record) -> str:
    printed = f"Printed {record['printed']}, found " if record["printed"] else ""
    return f"{printed}{record['found']}"


def _row(record: Record) -> str:
    bounds = ""
    if record["lowest"] is not None and record["lowest"] != record["highest"]:
        bounds = f" [{record['lowest']:g}, {record['highest']:g}]"
    derived = "" if record["derived"] is None else f"{record['derived']:g}{bounds}"
    why = "; ".join(filter(None, (f"by {record['by']}" if record["by"] else "", record["remark"], record["note"])))
    cells = (record["id"], record["where"], record["sentence"], record["printed"], record["operands"], derived, why)
    return "| " + " | ".join(markdown_cell(str(cell)) for cell in cells) + " |"


def _write(text: str, path: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
