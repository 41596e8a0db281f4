"""Parity with what the released verifiers said of 3,719 responses; agreement of the rules with independent checks."""

from pathlib import Path

import pytest

from rlvr.grading.enigmata.parity import Parity, compare, read_verdicts, write_table
from rlvr.grading.enigmata.tasks import TASKS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "enigmata.md"


@pytest.fixture(scope="module")
def parity(real_data: Path) -> dict[str, Parity]:
    return compare(read_verdicts(real_data / "enigmata" / "verdicts.jsonl"))


def test_every_verifier_is_compared(parity: dict[str, Parity]) -> None:
    assert set(parity) == set(TASKS)
    assert sum(one.rows for one in parity.values()) == 3719


def test_official_mode_gives_the_recorded_verdicts(parity: dict[str, Parity]) -> None:
    assert {task: one.rows - one.declared - one.agree for task, one in parity.items()} == dict.fromkeys(parity, 0)


def test_only_evaluated_code_is_declared_to_differ(parity: dict[str, Parity]) -> None:
    evaluated = {"countdown", "game24", "nine_puzzle", "sixteen_puzzle", "hitori", "kakurasu", "light_up"}
    evaluated |= {"minesweeper", "stack_permutation"}
    assert {task for task, one in parity.items() if one.declared} == evaluated
    assert sum(one.declared for one in parity.values()) == 103


def test_rules_mode_agrees_with_every_independent_judgement(parity: dict[str, Parity]) -> None:
    assert {task: one.judged - one.rules_agree for task, one in parity.items()} == dict.fromkeys(parity, 0)
    assert sum(one.judged for one in parity.values()) == 2224


def test_the_documented_table_is_the_measured_one(parity: dict[str, Parity]) -> None:
    assert write_table(parity) in DOCUMENT.read_text(encoding="utf-8")


def test_nothing_else_differs(parity: dict[str, Parity]) -> None:
    assert [line for one in parity.values() for line in one.differ] == []
