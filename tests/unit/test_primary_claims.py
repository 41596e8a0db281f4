"""The claims of the primary study: what they name, and what becomes of them where everything comes out as printed."""

from pathlib import Path

import pandas as pd
import pytest
from bound_rows import PRIMARY, ROOT, SCALES
from configured import Configured

from rlvr.core.schemas import load_yaml
from rlvr.plan.claim_grammar import COUNTS, LeafKind, comparisons_of
from rlvr.plan.claims import claimed_outputs, load_claims, places_of
from rlvr.plan.workspace import Workspace
from rlvr.report.claim_files import card_counts, printed_numbers, read_curves
from rlvr.report.claim_table import CLAIM_COLUMNS, NOT_PRINTED, ClaimScope, family_of, judge_claims
from rlvr.report.scope import ReportScope

STUDIES = sorted(path.name for path in (ROOT / "workflow/studies").iterdir() if (path / "claims.yaml").is_file())
SCHEMA = ROOT / "workflow/schemas/claims.schema.yaml"


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    """Every study that has claims and is not made for one scale, read as the Snakefile reads it."""
    made_for = {name for path in SCALES.glob("*.yaml") for name in load_yaml(path).get("studies", ())}
    return Configured(ROOT).load(tier="full", scale="paper", studies=[name for name in STUDIES if name not in made_for])


SCOPE = ClaimScope("the paper", "full", ReportScope("paper", comparable=True, runs=()))


@pytest.fixture(scope="module")
def as_printed(workspace: Workspace) -> pd.DataFrame:
    """The claims where every reproduced number equals the printed one, and what is not printed was not run."""
    claims = workspace.claims[PRIMARY]
    printed = printed_numbers(claimed_outputs(claims, workspace.outputs[PRIMARY]))
    return judge_claims(claims, printed, printed, SCOPE)


def test_what_the_paper_prints_supports_its_claims_and_contradicts_those_that_say_so(as_printed: pd.DataFrame) -> None:
    """A claim that its own paper's numbers refute must say where; one that they bear out must not fail."""
    found = as_printed.set_index("claim")
    contradicted = set(found.index[found["contradicted_by"] != ""])
    assert set(found.index[found["verdict"] == "fails"]) <= contradicted
    assert set(found.index[found["verdict"] == "holds"]).isdisjoint(contradicted)
    assert set(found["verdict"]) <= {"holds", "fails", "not run"}  # nothing of this is uncertain
    assert (found["printed_verdict"].replace({NOT_PRINTED: "not run"}) == found["verdict"]).all()
    assert (found["verdict"] == "holds").sum() >= 35


def test_which_claims_the_papers_own_numbers_contradict(as_printed: pd.DataFrame) -> None:
    assert set(as_printed.loc[as_printed["verdict"] == "fails", "claim"]) == {
        "collapsed-runs-have-hardly-any-effective-rank-ratio",
        "collapsed-runs-have-hardly-any-effective-rank-held",
        "full-trains-200-times-more-than-lora",
        "quanta-deviates-by-9-4",
        "no-kv-is-best-or-near-best",
        "no-advantage-on-young-models",
    }


def test_the_family_counts_what_chance_could_decide(as_printed: pd.DataFrame) -> None:
    family = family_of(as_printed, SCOPE)
    assert family["claims"] == len(as_printed) and family["comparisons"] == 0  # printed numbers do not vary
    assert sum(family["verdicts"].values()) == len(as_printed)
    varied = as_printed.assign(comparisons=[[{"over_seeds": True}] * 2] * len(as_printed))
    run = ~as_printed["verdict"].str.endswith("not run")
    of_two = family_of(varied, SCOPE)  # two comparisons: both hold, or one fails
    assert of_two["judged"] == run.sum()
    assert of_two["by_chance"] == f"{run.sum() * (2 * 0.025**2 + 2 * 0.025 * 0.975):.1f}"
    assert of_two["decided"] == as_printed["verdict"].str.endswith(("holds", "fails")).sum()
    assert list(as_printed.columns) == list(CLAIM_COLUMNS)


def test_every_claim_names_what_is_there_and_tags_every_number(workspace: Workspace) -> None:
    """Loading the workspace checks the names; here that the check saw them, and that numbers have a source."""
    claims = workspace.claims[PRIMARY]
    assert {place[0] for place in places_of(claims, LeafKind.CELL)} <= set(workspace.outputs[PRIMARY])
    assert {place[1] for place in places_of(claims, LeafKind.COUNT)} <= set(COUNTS)
    assert places_of(claims, "base") == [("qwen3-8b", "deepmath-hard")]  # the rules name a kind by its word
    margins = [part.margin for claim in claims for part in comparisons_of(claim.statement) if part.margin is not None]
    assert all(margin.value == 0 or margin.source.startswith(("SOURCE: ", "ASSUME: ")) for margin in margins)
    assert len({claim.sentence for claim in claims}) == len(claims)


@pytest.mark.parametrize("study", STUDIES)
def test_claims_fit_the_schema(study: str) -> None:
    path = ROOT / "workflow/studies" / study / "claims.yaml"
    load_claims(path, SCHEMA)


def test_both_readings_of_alpha_are_judged(workspace: Workspace) -> None:
    keys = [claim.key for claim in workspace.claims[PRIMARY]]
    ratio, held = ({key.removesuffix(end) for key in keys if key.endswith(end)} for end in ("-ratio", "-held"))
    assert ratio == held and len(ratio) >= 9


def test_counts_of_a_data_card_of_real_rows_only() -> None:
    card = {
        "recipe": {"dataset": "d"},
        "sources": [{"origin": "hub"}],
        "counts": [
            {"filter": "question present", "before": 103, "after": 100},
            {"filter": "difficulty >= 8.5", "before": 100, "after": 54},
            {"filter": "question not repeated", "before": 54, "after": 50},
        ],
        "splits": {"train": {"problems": 40}, "eval": {"problems": 10}},
        "strata": {"drawn": [{"topic": "a", "easy": 1, "all": 1}, {"topic": "all", "easy": 3, "hard": 4, "all": 7}]},
    }
    found = {place[1]: quantity.value for place, quantity in card_counts(card).items()}
    assert found == {"read": 103, "cut": 54, "kept": 50, "train": 40, "eval": 10, "easy": 3, "hard": 4}
    plain = {**card, "counts": card["counts"][:1], "strata": None}
    assert {place[1] for place in card_counts(plain)} == {"read", "kept", "train", "eval"}
    synthetic = card_counts({**card, "sources": [{"origin": "hub"}, {"origin": "synthetic"}]})
    assert set(synthetic) == {("d", name) for name in COUNTS} and all(each.is_missing for each in synthetic.values())


def test_curves_of_figures(tmp_path: Path) -> None:
    steps = {"run_id": ["a", "a", "b", "b"], "series": ["x"] * 4, "step": [2, 1, 1, 2], "smooth": [4.0, 1.0, 3.0, 6.0]}
    pd.DataFrame({**steps, "reward": 0.0}).to_csv(tmp_path / "figure6.csv", index=False)
    (curve,) = read_curves(str(tmp_path / "figure6.csv")).values()
    assert (curve.index_I.tolist(), curve.values_I.tolist(), curve.runs) == ([1, 2], [2.0, 5.0], ("a", "b"))
    decay = {"model": ["m"] * 4, "values": [1, 2, 2, 2], "index": [1, 1, 2, 3], "mean": [9.0, 1.0, 0.5, 0.25]}
    pd.DataFrame({**decay, "std": 0.0, "layers": 2}).to_csv(tmp_path / "figure1.csv", index=False)
    found = read_curves(str(tmp_path / "figure1.csv"))
    assert found["figure1", "m"].values_I.tolist() == [1.0, 0.5, 0.25]
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "figure3.csv", index=False)
    with pytest.raises(ValueError, match="no curves that a claim can read"):
        read_curves(str(tmp_path / "figure3.csv"))
