"""Parity with the released verifiers, task by task: ``python -m rlvr.grading.enigmata.parity <verdicts.jsonl>``."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlvr.grading.enigmata.tasks import TASKS
from rlvr.grading.enigmata.verify import Mode, judge

MODES: tuple[Mode, Mode] = ("official", "rules")


@dataclass
class Parity:
    """Counts of one task's recorded rows.

    Attributes:
        rows: Recorded verdicts.
        declared: Of them, rows whose kind is declared not to be followed; ours must say wrong there.
        agree: Of the others, rows with the same official verdict.
        judged: Rows whose content was judged independently.
        rules_agree: Of these, rows on which rules mode agrees.
        differ: Ids of all other rows.
    """

    rows: int = 0
    declared: int = 0
    agree: int = 0
    judged: int = 0
    rules_agree: int = 0
    differ: list[str] = field(default_factory=list)

    def add(self, row: Mapping[str, Any]) -> None:
        """Judge one recorded row in both modes."""
        meta = json.dumps(row["meta"], ensure_ascii=False)
        official, rules = (judge(row["response"], row["answer"], meta, row["task"], mode).verdict for mode in MODES)
        declared = row["kind"] in TASKS[row["task"]].diverges
        same = (official == "correct") == (row["official_verdict"] == 1 and not declared)
        same_rules = row["truth"] is None or (rules == "correct") == row["truth"]
        self.rows += 1
        self.declared += declared
        self.agree += same and not declared
        self.judged += row["truth"] is not None
        self.rules_agree += row["truth"] is not None and same_rules
        if not (same and same_rules):
            self.differ.append(f"{row['id']}: official {official}, rules {rules}")


def compare(rows: Iterable[Mapping[str, Any]]) -> dict[str, Parity]:
    """Parity by task, in the order in which the tasks come."""
    found: dict[str, Parity] = {}
    for row in rows:
        found.setdefault(row["task"], Parity()).add(row)
    return found


def read_verdicts(path: str | Path) -> list[dict[str, Any]]:
    """Rows of a file of recorded verdicts."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def write_table(found: Mapping[str, Parity]) -> str:
    """The parity as a Markdown table, with the ceiling of every task."""
    lines = [
        "| task | rows | declared | official: same | of | rules: same | of | ceiling | why |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for task, one in sorted(found.items()):
        declared = TASKS[task]
        lines.append(
            f"| {task} | {one.rows} | {one.declared} | {one.agree} | {one.rows - one.declared}"
            f" | {one.rules_agree} | {one.judged} | {declared.ceiling:.2f} | {declared.why} |"
        )
    counts = [
        sum(getattr(one, name) for one in found.values())
        for name in ("rows", "declared", "agree", "rules_agree", "judged")
    ]
    rows, left_out, agree, rules_agree, judged = counts
    lines.append(f"| all | {rows} | {left_out} | {agree} | {rows - left_out} | {rules_agree} | {judged} | | |")
    return "\n".join(lines)


if __name__ == "__main__":
    parity = compare(read_verdicts(sys.argv[1]))
    print(write_table(parity))
    if differing := [line for one in parity.values() for line in one.differ]:
        sys.exit("\n".join(differing))
