"""Claims from finished runs to the files of verdicts."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from report_study import SCORES, answer_frame, evidence, load_study, score_frame, write_study

from rlvr.core.io import write_table
from rlvr.plan.claims import claimed_outputs, load_claims
from rlvr.report.claim_files import ClaimInputs, base_scores, check_claims_file, reproduced_cells
from rlvr.report.claim_table import CLAIM_COLUMNS, OF_DOCUMENTS, ClaimScope
from rlvr.report.evidence import Evidence, index_answers, index_scores
from rlvr.report.scope import ReportScope
from rlvr.tables import ANSWERS
from rlvr.tables import SCORES as SCORES_SCHEMA

SEEDS = {"lora-s1": 1, "lora-s2": 2, "lora-s3": 3, "dora-s1": 1}
SIBLINGS = {run_id: ("lora-s1", "lora-s2", "lora-s3") for run_id in SEEDS if run_id.startswith("lora")}


def results(comparable: bool = False) -> ReportScope:
    return ReportScope("tiny", comparable, list(SCORES), seeds=SEEDS, siblings=SIBLINGS)


def write_claims(folder: Path, left: str, op: str, right: Any, **rest: Any) -> Path:
    claim = {"sentence": "More.", "where": "table 1", **rest, "all": [{"left": left, "op": op, "right": right}]}
    (folder / "claims.yaml").write_text(yaml.safe_dump({"claims": {"more": claim}}))
    return folder / "claims.yaml"


def judged(folder: Path, path: Path, comparable: bool = False) -> dict[str, Any]:
    """The row of the only claim, from the files that the rule gives and gets."""
    outputs = load_study(write_study(folder))
    write_table(score_frame(), folder / "scores.parquet", SCORES_SCHEMA)
    write_table(answer_frame(), folder / "answers.parquet", ANSWERS)
    inputs = ClaimInputs({"scores": [str(folder / "scores.parquet")], "answers": [str(folder / "answers.parquet")]})
    scope = ClaimScope("the paper", "core", results(comparable), {run_id: "base (small)" for run_id in SEEDS})
    declarations = [output.declaration() for output in claimed_outputs(load_claims(path), outputs)]
    files = [str(folder / name) for name in ("claims.csv", "claims.json")]
    check_claims_file(str(path), declarations, inputs, scope, *files)
    content = json.loads((folder / "claims.json").read_text())
    (claim,) = content["claims"]
    with Path(files[0]).open() as lines:
        (line,) = csv.DictReader(lines)
    assert list(line) == [name for name in CLAIM_COLUMNS if name not in OF_DOCUMENTS]
    assert line == {name: str(value) for name, value in claim.items() if name not in OF_DOCUMENTS}
    assert content["family"]["claims"] == 1
    return claim


def test_a_claim_over_seeds_names_scale_tier_models_and_seeds(tmp_path: Path) -> None:
    """LoRA at seeds 1, 2, 3: 60, 70, 80; a cell of one seed stands for all of them."""
    found = judged(tmp_path, write_claims(tmp_path, "table1/lora/seed_1", "exceeds", {"printed": 10}))
    assert found["verdict"] == "stand-in: holds" and found["leans"] == "holds"
    assert (found["scale"], found["tier"], found["models"], found["seeds"]) == (
        "tiny",
        "core",
        "base (small)",
        "1, 2, 3",
    )
    assert found["numbers"].startswith("LoRA, r = 8: 70.0 \N{MINUS SIGN} 10 = 60.0 [")
    assert found["printed_verdict"] == "holds"  # 62.3 is printed
    assert found["margin"] == "10 (SOURCE: printed, table 1)" and found["paper"] == "the paper"


def test_one_seed_is_a_lead_and_no_more(tmp_path: Path) -> None:
    claim = write_claims(tmp_path, "table1/dora/seed_1", "exceeds", {"printed": 10}, paper="another version")
    found = judged(tmp_path, claim, comparable=True)
    assert (found["verdict"], found["leans"], found["seeds"]) == ("one seed only", "holds", "1")
    assert found["paper"] == "another version"


def test_a_claim_about_the_seeds_themselves_is_judged_by_them(tmp_path: Path) -> None:
    """Seed 2 lies ten points above seed 1: as configurations they are one and the same, as runs they are not."""
    path = write_claims(tmp_path, "table1/lora/seed_2", "exceeds", "table1/lora/seed_1")
    assert judged(tmp_path, path, comparable=True)["verdict"] == "fails"  # no difference at all
    path = write_claims(tmp_path, "table1/lora/seed_2", "exceeds", "table1/lora/seed_1", about_seeds=True)
    found = judged(tmp_path, path, comparable=True)
    assert found["verdict"] == "holds" and found["seeds"] == "1, 2"


def test_what_was_not_run_is_named(tmp_path: Path) -> None:
    found = judged(tmp_path, write_claims(tmp_path, "table1/dora/seed_2", "exceeds", "table1/lora/seed_1"))
    assert found["verdict"] == "not run" and found["numbers"] == "DoRA, r = 8_x, seed_2: not run"


def test_cells_are_cut_down_to_what_claims_name(tmp_path: Path) -> None:
    outputs = load_study(write_study(tmp_path))
    claims = load_claims(write_claims(tmp_path, "table1/lora/seed_2", "exceeds", "table1/dora/mean"))
    (table,) = claimed_outputs(claims, outputs)
    found = reproduced_cells([table], evidence(), results(), over_seeds=True)
    assert set(found) == {("table1", row, column) for row in ("lora", "dora") for column in ("seed_2", "mean")}
    assert found["table1", "lora", "mean"].value == pytest.approx(70) and found["table1", "dora", "mean"].is_missing
    assert found["table1", "lora", "mean"].runs == ("lora-s1", "lora-s2", "lora-s3")


def test_untrained_bases_have_no_seed_and_share_the_problems_of_the_runs() -> None:
    scores = score_frame().replace({"run_id": {"dora-s1": "m_base"}})
    answers = answer_frame().replace({"run_id": {"dora-s1": "m_base"}})
    given = Evidence(index_scores(scores), {}, scores, answers=index_answers(answers))
    found = base_scores([("m", "hard"), ("other", "hard")], given, results())
    assert set(found) == {("m", "hard")}
    base = found["m", "hard"]
    assert base.value == pytest.approx(55) and base.drawn.seeds is None and np.ptp(base.drawn.draws_B) > 0


def test_a_study_without_claims_gets_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "claims.yaml").write_text("claims: {}\n")
    files = [str(tmp_path / name) for name in ("out.csv", "out.json")]
    check_claims_file(str(tmp_path / "claims.yaml"), [], ClaimInputs(), ClaimScope("p", "core", results()), *files)
    assert (tmp_path / "out.csv").read_text().startswith("claim,paper,where,sentence,verdict")
    assert json.loads((tmp_path / "out.json").read_text())["claims"] == []
