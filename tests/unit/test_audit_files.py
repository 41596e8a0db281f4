"""The audit as files: every record in each format, several studies joined, a summary that can be read."""

import csv
import json
from pathlib import Path

import pytest
from test_audit_kinds import audit_of, write_study

from rlvr.core.io import write_json
from rlvr.report.audit.files import AuditFiles, audit_file, collect_audits, to_markdown, to_summary
from rlvr.report.audit.judging import AUDIT_COLUMNS, as_printed

ROWS = (
    {"kind": "mean", "printed": "80.5", "operands": "[table1 a seed_*]", "sentence": "mean of a"},
    {"kind": "sd", "printed": "0.9", "operands": "[table1 a seed_*]", "sentence": "deviation of a"},
    {"kind": "equal-to", "printed": "'x'", "operands": "'y | z' @ section 2", "sentence": "words"},
    {"kind": "order", "printed": "", "operands": "?another seed > 2", "sentence": "a gap"},
    {"kind": "multiple-of", "printed": "20 to 900", "operands": "78.1", "sentence": "a size", "document": "appendix"},
)


def files_in(folder: Path) -> AuditFiles:
    return AuditFiles(*(str(folder / f"audit.{suffix}") for suffix in ("csv", "json", "md", "txt")))


def test_every_record_is_in_every_format(tmp_path: Path) -> None:
    records = audit_of(tmp_path, *ROWS)
    study = write_study(tmp_path, *ROWS)
    files = files_in(tmp_path / "out")
    audit_file(str(study), str(tmp_path / "configs"), {"study": "A title"}, files)
    assert json.loads(Path(files.json).read_text()) == records
    with Path(files.csv).open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["verdict"] for line in lines] == [record["verdict"] for record in records]
    assert set(lines[0]) == set(AUDIT_COLUMNS)
    page = Path(files.md).read_text()
    assert "## A title: paper" in page and "## A title: appendix" in page
    assert all(f"| {record['id']} |" in page for record in records)
    assert r"y \| z" in page, "a bar inside a cell would end it"


def test_the_summary_counts_and_names_what_does_not_follow(tmp_path: Path) -> None:
    summary = to_summary(audit_of(tmp_path, *ROWS), {})
    assert "study (paper)\n  4 statements: 1 follows, 1 does not follow, 1 contradicted, 1 cannot be checked" in summary
    assert "- does not follow: section 1: deviation of a. Printed 0.9, found 0.71" in summary
    assert "- contradicted by section 2: section 1: words. Printed x, found there: y | z (section 2)" in summary
    assert "mean of a" not in summary and "a gap" not in summary
    assert summary.endswith("2 statements do not follow.\n")
    assert max(map(len, summary.splitlines())) <= 130


def test_audits_of_several_studies_are_joined_in_their_order(tmp_path: Path) -> None:
    records = audit_of(tmp_path, *ROWS)
    paths = []
    for name in ("one", "two"):
        paths.append(str(tmp_path / f"{name}.json"))
        write_json([{**record, "study": name} for record in records], paths[-1])
    files = files_in(tmp_path / "all")
    collect_audits(paths, {}, files)
    joined = json.loads(Path(files.json).read_text())
    assert [record["study"] for record in joined] == ["one"] * len(records) + ["two"] * len(records)
    assert "All: 10 statements" in Path(files.summary).read_text()


def test_a_study_without_statements_has_an_empty_audit(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    files = files_in(tmp_path / "out")
    audit_file(str(folder), str(tmp_path), {}, files)
    assert json.loads(Path(files.json).read_text()) == []
    assert "0 statements do not follow" in to_summary([], {})
    assert to_markdown([], {}).startswith("# ")


@pytest.mark.parametrize(
    ("value", "printed", "text"),
    [
        (87_293_952, "87.2M", "87.29M"),
        (220_541, "217,541", "220,541"),
        (10.602, "10.4", "10.60"),
        (363.6, "~200", "363.6"),
        (0.5, "", "0.500"),
        (256.0, "", "256.00"),
        (None, "1", ""),
    ],
)
def test_a_derived_number_looks_like_the_printed_one(value: float | None, printed: str, text: str) -> None:
    assert as_printed(value, printed) == text
