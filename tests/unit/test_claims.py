"""Claims as predicates, and the paper's printed numbers against each other."""

import math
from pathlib import Path

import pytest
import yaml
from report_study import SCORES, evidence, load_study, write_study

from rlvr.core.errors import InputError
from rlvr.plan.claims import Claim, Comparison, check_claims, load_claims
from rlvr.report.cells import ReportScope, build_cells
from rlvr.report.evidence import Estimate
from rlvr.report.judging import check_claims_file, comparison_text, judge_claim, judge_comparison

ROOT = Path(__file__).resolve().parents[2]
ESTIMATES = {
    ("t", "high", "x"): Estimate(80, 76, 84),
    ("t", "low", "x"): Estimate(50, 47, 53),
    ("t", "near", "x"): Estimate(78, 74, 82),
    ("t", "exact", "x"): Estimate(7.1),
    ("t", "larger", "x"): Estimate(10.2),
    ("t", "absent", "x"): Estimate(math.nan),
}


def side(name: str) -> str:
    return f"t/{name}/x"


@pytest.mark.parametrize(
    ("left", "op", "right", "margin", "verdict"),
    [
        ("high", "exceeds", "low", 20, "holds"),  # 30 [25, 35]
        ("high", "exceeds", "low", 27, "undecided"),
        ("high", "exceeds", "low", 36, "fails"),
        ("high", "exceeds", "near", 0, "undecided"),
        ("low", "exceeds", "high", 0, "fails"),
        ("high", "within", "near", 8, "holds"),  # 2 [-3.7, 7.7]
        ("high", "within", "near", 3, "undecided"),
        ("high", "within", "low", 20, "fails"),
        ("larger", "exceeds", "exact", 0, "holds"),  # no intervals: the numbers decide
        ("exact", "exceeds", "larger", 0, "fails"),
        ("high", "exceeds", "absent", 0, "not run"),
    ],
)
def test_comparisons(left, op, right, margin, verdict):
    assert judge_comparison(Comparison(side(left), op, side(right), margin), ESTIMATES) == verdict


def test_constants_and_extremes():
    assert judge_comparison(Comparison(side("high"), "exceeds", 70), ESTIMATES) == "holds"
    largest = {"largest": [side("low"), side("high")]}
    assert judge_comparison(Comparison(side("near"), "exceeds", largest), ESTIMATES) == "undecided"
    assert judge_comparison(Comparison(side("near"), "exceeds", {"smallest": [side("low"), 60]}), ESTIMATES) == "holds"
    assert (
        judge_comparison(Comparison({"largest": [side("low"), side("absent")]}, "exceeds", 0), ESTIMATES) == "not run"
    )


@pytest.mark.parametrize(
    ("rights", "verdict"),
    [
        (("low",), "holds"),
        (("low", "near"), "undecided"),
        (("low", "absent"), "not run"),
        (("high", "absent"), "fails"),
    ],
)
def test_a_claim_is_as_good_as_its_worst_comparison(rights, verdict):
    parts = tuple(Comparison(side("high"), "exceeds", side(right), 1 if right == "low" else 0) for right in rights)
    parts = tuple(Comparison(p.left, p.op, p.right, 9) if p.right == side("high") else p for p in parts)
    assert judge_claim(Claim("c", "s", "w", parts), ESTIMATES) == verdict


def test_the_numbers_behind_a_verdict_are_shown():
    part = Comparison(side("high"), "exceeds", side("low"), 20)
    assert comparison_text(part, ESTIMATES) == "80.0 \N{MINUS SIGN} 50.0 = 30.0 [25.0, 35.0], asked: > 20"


def write_claims(folder: Path, left: str = "table1/lora/seed_2", op: str = "exceeds") -> Path:
    claim = {"sentence": "More.", "where": "table 1", "all": [{"left": left, "op": op, "right": "table1/lora/seed_1"}]}
    (folder / "claims.yaml").write_text(yaml.safe_dump({"claims": {"more": claim}}))
    return folder / "claims.yaml"


def test_check_claims_file(tmp_path):
    table = load_study(write_study(tmp_path))["table1"]
    build_cells(table, evidence(), ReportScope("tiny", False, list(SCORES))).to_csv(tmp_path / "t.csv", index=False)
    files = [str(tmp_path / name) for name in ("claims.csv", "claims.json")]
    check_claims_file(str(write_claims(tmp_path)), [str(tmp_path / "t.csv")], *files)
    content = yaml.safe_load((tmp_path / "claims.json").read_text())
    assert content[0]["verdict"] == "holds" and content[0]["claim"] == "more"  # 10 [2.9, 17.1]


def test_wrong_claims_are_refused(tmp_path):
    outputs = load_study(write_study(tmp_path))
    with pytest.raises(InputError, match="'table1/lora/seed_9', which no output has"):
        check_claims(load_claims(write_claims(tmp_path, left="table1/lora/seed_9")), outputs, "claims.yaml")
    with pytest.raises(InputError, match=r"Expected output/row/column"):
        load_claims(write_claims(tmp_path, left="table1/lora"))
    with pytest.raises(InputError, match="'==' is not one of"):
        load_claims(write_claims(tmp_path, op="=="), ROOT / "workflow/schemas/claims.schema.yaml")


def test_a_study_without_claims_gets_an_empty_table(tmp_path):
    (tmp_path / "claims.yaml").write_text("claims: {}\n")
    files = [str(tmp_path / name) for name in ("out.csv", "out.json")]
    check_claims_file(str(tmp_path / "claims.yaml"), [], *files)
    assert (tmp_path / "out.csv").read_text() == "claim,where,sentence,verdict,numbers\n"
    assert yaml.safe_load((tmp_path / "out.json").read_text()) == []
