"""Kinds of the statement audit: closed cases, and what rounding may and may not excuse."""

import csv
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.report.audit.findings import Finding, Question
from rlvr.report.audit.judging import KINDS, audit_study, judge
from rlvr.report.audit.statements import COLUMNS, Statement

FOLLOWS, ROUNDED, FAILS = "follows", "follows within rounding", "does not follow"
DEFAULTS = {"document": "paper", "where": "section 1", "sentence": "a statement", "printed": "", "unit": "", "note": ""}
PLACES = "document,place,topics\npaper,appendix E,seeds; spread\npaper,appendix I,samples\n"
TABLE = "row,seed_1,seed_2,mean,std,words\na,80.0,81.0,80.5,0.7,8 per prompt\nb,70.0,72.0,71.0,1.4,1e-5x\nempty,,,,,\n"


def write_study(folder: Path, *rows: dict[str, str]) -> Path:
    study = folder / "study"
    (study / "printed").mkdir(parents=True, exist_ok=True)
    (study / "printed" / "table1.csv").write_text(TABLE)
    (study / "places.csv").write_text(PLACES)
    with (study / "statements.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({**DEFAULTS, "id": f"s{number}", **row} for number, row in enumerate(rows))
    return study


def audit_of(folder: Path, *rows: dict[str, str]) -> list[dict[str, Any]]:
    (folder / "configs").mkdir(exist_ok=True)
    (folder / "configs" / "small.json").write_text('{"hidden_size": 8, "tie": false, "ratio": 0.5}')
    return audit_study(write_study(folder, *rows), folder / "configs")


def verdict_of(folder: Path, kind: str, printed: str, operands: str) -> str:
    record = audit_of(folder, {"kind": kind, "printed": printed, "operands": operands})[0]
    return str(record["verdict"])


CASES = [
    ("sum", "10,000", "2,930; 3,381; 3,689", FOLLOWS),
    ("sum", "217,541", "64,541; 26 * 6,000", FAILS),
    ("sum", "0.3", "0.14; 0.14", FOLLOWS),
    ("sum", "0.2", "0.1; 0.1; 0.1", ROUNDED),
    ("product", "60", "2; 2; 15", FOLLOWS),
    ("product", "61", "2; 2; 15", FAILS),
    ("mean", "74.4", "84.0; 76.6; 62.5", FOLLOWS),
    ("mean", "74.3", "84.0; 76.6; 62.5", ROUNDED),
    ("mean", "74.5", "84.0; 76.6; 62.5", FAILS),
    ("sd", "9.4", "84.0; 76.2; 65.2", FOLLOWS),
    ("sd", "8.4", "78.5; 79.3; 64.5", ROUNDED),
    ("sd", "9.6", "84.0; 76.2; 65.2", FAILS),
    ("sd", "0.82", "1.00; 2.00; 3.00", "follows with n instead of n - 1"),
    ("difference", "+5.9", "84.0; 78.1", FOLLOWS),
    ("difference", "6.1", "84.0; 78.1", FAILS),
    ("ratio", "~200", "~8B; 45.0M", FOLLOWS),
    ("ratio", "~200", "~8B; 22M", FAILS),
    ("ratio", "1033", "1.55; 0.0015", FOLLOWS),
    ("share", "52%", "26; 50", FOLLOWS),
    ("share", "53%", "26; 50", FAILS),
    ("percent-change", "-22%", "35.3M; 45.0M", FOLLOWS),
    ("percent-change", "-22%", "45.0M; 35.3M", FAILS),
    ("formula", "252", "7 * 36", FOLLOWS),
    ("formula", "588", "10 * 9 * 8 - 4 * 3 * 2", FAILS),
    ("formula", "64", "[config small hidden_size] ^ 2", FOLLOWS),
    ("formula", "0.125", "2 ^ (-3)", FOLLOWS),
    ("formula", "-1", "-(3 - 2)", FOLLOWS),
    ("equal-to", "10.0%", "9.95", FOLLOWS),
    ("equal-to", "22M", "22.0M", FOLLOWS),
    ("equal-to", "22.0M", "21.82M", FAILS),
    ("equal-to", "38", "35 @ section 2", "contradicted"),
    ("equal-to", "[table1 a words]", "2 * [table1 a words] - 8", FOLLOWS),
    ("equal-to", "'Immediately'", "'immediately' @ section 2", FOLLOWS),
    ("equal-to", "'at once'", "'after 200 steps' @ section 2", "contradicted"),
    ("order", "", "3 > 2 > 1; 1 < 2", FOLLOWS),
    ("order", "", "3 > 2 > 2", FAILS),
    ("order", "", "84.0 > 84.0", ROUNDED),
    ("order", "", "84.0 > 84.1", FAILS),
    ("order", "", "84.0 >= 84.0", FOLLOWS),
    ("order", "", "[table1 * mean] > 70!", FOLLOWS),
    ("order", "", "[table1 * mean] > 75!", "contradicted"),
    ("order", "", "1.00 = 1.0", FOLLOWS),
    ("maximum", "80.5", "[table1 * mean]", FOLLOWS),
    ("maximum", "71.0", "[table1 * mean]", "contradicted"),
    ("minimum", "71.0", "[table1 * mean]", FOLLOWS),
    ("minimum", "2", "2; 3; 4", FOLLOWS),
    ("minimum", "3", "2; 3; 4", FAILS),
    ("range", "78 to 84", "78.1; 84.0; 77%", ROUNDED),
    ("range", "78 to 84", "78.1; 84.0", FOLLOWS),
    ("range", "78 to 84", "77.3", FAILS),
    ("count", "3", "'a'; 'b'; 'c'", FOLLOWS),
    ("count", "3", "'(i) one; with a semicolon'; '(ii) two'", FAILS),
    ("count", "2", "[table1 * mean]", FOLLOWS),
    ("cross-reference", "appendix E", "'seeds'", FOLLOWS),
    ("cross-reference", "appendix E", "'seeds'; 'spread'", FOLLOWS),
    ("cross-reference", "appendix I", "'seeds'", "contradicted"),
    ("cross-reference", "appendix K", "'seeds'", "contradicted"),
    ("cross-reference", "appendix I", "'proofs'", FAILS),
    ("multiple-of", "256", "78.1; 84.0; 2.3", FOLLOWS),
    ("multiple-of", "256", "78.1; 73.1", FAILS),
    ("multiple-of", "10 to 2000", "78.1", "cannot be checked"),
    ("significance", "different", "73.1; 4.7; 256", FOLLOWS),
    ("significance", "different", "78.1; 76.2; 256", "within chance"),
    ("significance", "alike", "78.1; 76.2; 256; 300", FOLLOWS),
    ("significance", "alike", "73.1; 4.7; 256", FAILS),
    ("seed-significance", "different", "1; 2; 3 | 11; 12; 13", FOLLOWS),
    ("seed-significance", "different", "1; 20; 30 | 11; 12; 13", "within chance"),
    ("seed-significance", "alike", "1; 2; 30 || 2; 3; 31.5", FAILS),
    ("seed-significance", "different", "[table1 a seed_*] || [table1 b seed_*]", FOLLOWS),
    ("mean-significance", "different", "10.0; 0.1; 3; 13.0; 0.2; 3", FOLLOWS),
    ("mean-significance", "different", "10.0; 2.0; 3; 13.0; 2.0; 3", "within chance"),
    ("sd-of-counts", "1.8", "30.0; 30; 3", FAILS),
    ("sd-of-counts", "3.3", "30.0; 30; 3", FOLLOWS),
    ("sd-of-counts", "2.7", "30.0; 30; 3", "follows with n instead of n - 1"),
    ("mean", "74.4", "84.0; ?the third seed", "cannot be checked"),
    ("order", "", "84.0 > ?FFT with seed 43", "cannot be checked"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "printed", "operands", "verdict"), CASES)
def test_closed_cases(tmp_path: Path, kind: str, printed: str, operands: str, verdict: str) -> None:
    assert verdict_of(tmp_path, kind, printed, operands) == verdict


def test_every_kind_has_a_case_that_follows_and_one_that_does_not() -> None:
    seen = {kind: {verdict for other, _, _, verdict in CASES if other == kind} for kind in KINDS}
    for kind, verdicts in seen.items():
        assert verdicts & {FOLLOWS, ROUNDED}, kind
        assert verdicts - {FOLLOWS, ROUNDED}, kind


def test_placeholders_make_one_statement_for_each_printed_cell(tmp_path: Path) -> None:
    row = {"kind": "mean", "printed": "[table1 {row} mean]", "operands": "[table1 {row} seed_*]", "sentence": "{row}"}
    records = audit_of(tmp_path, row)
    assert [(record["id"], record["sentence"], record["verdict"]) for record in records] == [
        ("s0:a", "a", FOLLOWS),
        ("s0:b", "b", FOLLOWS),
    ]
    assert records[0]["operands"] == "80.0, 81.0"


def test_a_contradiction_names_the_other_place_and_not_its_own(tmp_path: Path) -> None:
    there, here = audit_of(
        tmp_path,
        {"kind": "equal-to", "printed": "9.4", "operands": "[table1 a std] @ table 13; 9.4 @ table 16"},
        {"kind": "equal-to", "printed": "9.4", "operands": "[table1 a std]", "where": "table 1"},
    )
    assert (there["verdict"], there["by"]) == ("contradicted", "table 13")
    assert (here["verdict"], here["by"]) == (FAILS, "")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"kind": "guess"}, "kind 'guess'"),
        ({"kind": "mean", "printed": "x", "operands": "1; 2"}, "'x' is not a number"),
        ({"kind": "mean", "printed": "1", "operands": ""}, "no operands"),
        ({"kind": "mean", "printed": "1", "operands": "[table1 b words]"}, "'1e-5x' is not a number"),
        ({"kind": "mean", "printed": "1", "operands": "'word'"}, "only numbers"),
        ({"kind": "difference", "printed": "1", "operands": "1; 2; 3"}, "expected 2 numbers"),
        ({"kind": "formula", "printed": "1", "operands": "(1 + 2"}, "parenthesis"),
        ({"kind": "formula", "printed": "1", "operands": "1 + "}, "no number"),
        ({"kind": "formula", "printed": "1", "operands": "1 2"}, "left over"),
        ({"kind": "formula", "printed": "1", "operands": "2 ^ 0.5"}, "exponent"),
        ({"kind": "ratio", "printed": "1", "operands": "1; 0"}, "zero"),
        ({"kind": "mean", "printed": "1", "operands": "[table1 nobody mean]"}, "names no printed cell"),
        ({"kind": "mean", "printed": "1", "operands": "[table9 a mean]"}, "no printed table9"),
        ({"kind": "mean", "printed": "1", "operands": "[table1 mean]"}, "is no reference"),
        ({"kind": "formula", "printed": "1", "operands": "2 * [table1 * mean]"}, "names 2 cells"),
        ({"kind": "mean", "printed": "{row}", "operands": "1"}, "no [reference]"),
        ({"kind": "order", "operands": "1; 2"}, "no relation"),
        ({"kind": "order", "operands": "1 > 'word'"}, "not a number"),
        ({"kind": "range", "printed": "78", "operands": "1"}, "no range"),
        ({"kind": "multiple-of", "printed": "many", "operands": "1.0"}, "no size"),
        ({"kind": "significance", "printed": "better", "operands": "1; 2; 3"}, "expected 'different'"),
        ({"kind": "significance", "printed": "alike", "operands": "1; 2"}, "two percentages"),
        ({"kind": "seed-significance", "printed": "alike", "operands": "1; 2"}, "bar"),
        ({"kind": "cross-reference", "printed": "appendix E", "operands": "7"}, "topic"),
        ({"kind": "equal-to", "printed": "7", "operands": "'seven'"}, "words with a number"),
        ({"kind": "sum", "printed": "7", "operands": "7", "sentence": ""}, "'sentence' is empty"),
        ({"kind": "sd-of-counts", "printed": "1.0", "operands": "50.0; 30; 9"}, "2 to 4 seeds"),
        ({"kind": "sd", "printed": "1.0", "operands": "50.0"}, "2 to 16 seeds"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_row_is_said(tmp_path: Path, row: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=r"statements\.csv, line 2") as error:
        audit_of(tmp_path, row)
    assert message in str(error.value)


def test_a_key_twice_and_files_that_differ(tmp_path: Path) -> None:
    row = {"kind": "sum", "printed": "1", "operands": "1", "id": "same"}
    with pytest.raises(InputError, match="appears twice"):
        audit_of(tmp_path, row, row)
    study = write_study(tmp_path, {"kind": "sum", "printed": "1", "operands": "[table1 a mean]"})
    (study / "reported").mkdir()
    (study / "reported" / "table1.csv").write_text("row,mean\na,80.6\n")
    with pytest.raises(InputError, match=r"'80\.5', in another file '80\.6'"):
        audit_study(study, tmp_path / "configs")


VALUES = st.lists(st.decimals("-90", "90", places=6), min_size=2, max_size=4)
DECIMALS = st.integers(0, 3)
COMPUTED = {
    "sum": lambda values: sum(values),
    "mean": lambda values: sum(values) / len(values),
    "difference": lambda values: values[0] - values[1],
    "ratio": lambda values: values[0] / values[1],
    "percent-change": lambda values: 100 * (values[0] / values[1] - 1),
    "share": lambda values: 100 * values[0] / values[1],
    "sd": lambda values: (sum((v - sum(values) / len(values)) ** 2 for v in values) / (len(values) - 1)).sqrt(),
    "maximum": max,
    "minimum": min,
}


def judged(kind: str, printed: str, operands: str) -> Finding:
    """A finding without files."""
    statement = Statement("s", "paper", "section 1", "a statement", kind, printed, operands, "", "", "here")
    return judge(Question(statement, lambda reference: [], {}))


def rounded(value: Decimal, decimals: int, way: str = ROUND_HALF_UP) -> str:
    return str(value.quantize(Decimal(1).scaleb(-decimals), way))


def operands_of(values: list[Decimal], decimals: int) -> str:
    # Parts that are printed without decimals would be counts: one digit at least.
    return "; ".join(rounded(value, max(decimals, 1)) for value in values)


def true_statement(kind: str, values: list[Decimal]) -> tuple[list[Decimal], Decimal]:
    values = values[:2] if kind in ("difference", "ratio", "percent-change", "share") else values
    if kind in ("ratio", "percent-change", "share") and abs(values[1]) <= 1:
        values = [values[0], values[1] + 5]
    return values, COMPUTED[kind](values)


@pytest.mark.parametrize("kind", COMPUTED)
@settings(max_examples=100, deadline=None)
@given(values=VALUES, decimals=DECIMALS, print_decimals=DECIMALS)
def test_a_true_statement_is_never_accused(
    kind: str, values: list[Decimal], decimals: int, print_decimals: int
) -> None:
    values, truth = true_statement(kind, values)
    finding = judged(kind, rounded(truth, print_decimals), operands_of(values, decimals))
    assert finding.verdict in (FOLLOWS, ROUNDED)


@pytest.mark.parametrize("kind", COMPUTED)
@settings(max_examples=100, deadline=None)
@given(values=VALUES, decimals=DECIMALS, print_decimals=DECIMALS, way=st.sampled_from([-1, 1]))
def test_what_no_rounding_excuses_is_always_found(
    kind: str, values: list[Decimal], decimals: int, print_decimals: int, way: int
) -> None:
    values, truth = true_statement(kind, values)
    operands = operands_of(values, decimals)
    finding = judged(kind, rounded(truth, print_decimals), operands)
    end = Decimal(float(finding.high if way > 0 else finding.low))
    beyond = end + way * (Decimal(1).scaleb(-print_decimals) + Decimal("1e-9"))
    if kind == "sd" and way < 0:  # dividing by n is excused, too: go beyond that, and not below zero
        beyond = end * Decimal("0.7") - Decimal(1).scaleb(-print_decimals)
        assume(beyond > 0)
    printed = rounded(beyond, print_decimals, ROUND_UP if beyond * way > 0 else ROUND_DOWN)
    assert judged(kind, printed, operands).verdict == FAILS


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.decimals("0", "9", places=4), min_size=2, max_size=4), decimals=st.integers(1, 2))
def test_a_true_order_is_never_accused(values: list[Decimal], decimals: int) -> None:
    chain = " >= ".join(rounded(value, decimals) for value in sorted(values, reverse=True))
    assert judged("order", "", chain).verdict == FOLLOWS
    strict = " > ".join(rounded(value, decimals) for value in sorted(set(values), reverse=True))
    assume(">" in strict)
    assert judged("order", "", strict).verdict in (FOLLOWS, ROUNDED)
