"""The decision table of docs/grading.md, every row of it."""

import re
from pathlib import Path

import pytest

from rlvr.grading.grader import grade

TABLE = Path(__file__).resolve().parents[2] / "docs" / "grading.md"
ROW = re.compile(
    r"\| (?P<decision>.+?) \| `(?P<gold>.+?)` \| `(?P<answer>.+?)`(?P<bare> with no \\boxed)? \| (?P<verdict>\w+) \|"
)


def decisions() -> list[dict[str, str]]:
    text = TABLE.read_text().partition("## Decisions")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    matched = [ROW.fullmatch(row) for row in rows]
    assert all(matched), [row for row, match in zip(rows, matched, strict=True) if match is None]
    return [match.groupdict() for match in matched if match]


def test_the_table_is_read_as_a_whole() -> None:
    assert len(decisions()) > 50
    assert {row["verdict"] for row in decisions()} == {"correct", "wrong", "unparsed"}


@pytest.mark.parametrize("row", decisions(), ids=lambda row: row["decision"])
def test_decision(row: dict[str, str]) -> None:
    shown = row["bare"] or r"\boxed" in row["answer"]
    text = row["answer"] if shown else rf"<think>well</think> It is \boxed{{{row['answer']}}}."
    assert grade(text, row["gold"], "math").verdict == row["verdict"]
