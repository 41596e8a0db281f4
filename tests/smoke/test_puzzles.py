"""The run of tier full that trains on puzzles, small: from synthetic rows to the scores by task."""

from pathlib import Path

import pandas as pd
import pytest
from conftest import Checkout, copy_code

from rlvr.core.io import read_json

pytestmark = pytest.mark.long
RUN = "qwen3-8b_enigmata-10k_lora-r8_bs64_s42"
BASE = "qwen3-8b-puzzles_base"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two optimizer steps, some forty puzzles to evaluate on; about half a minute."""
    checkout: Checkout = copy_code(tmp_path_factory.mktemp("puzzles") / "checkout")
    levels = {"easy": 5, "medium": 5, "hard": 6}
    checkout.edit_scale(
        **{f"datasets__enigmata-10k__strata__levels__{level}__problems": number for level, number in levels.items()},
        **{"datasets__enigmata-eval__synthetic_rows": 60, "datasets__enigmata-10k__synthetic_rows": 200},
    )
    wanted = [f"results/tiny/evaluate/{run_id}/puzzles/puzzles.csv" for run_id in (RUN, BASE)]
    checkout.run("--config", "tier=full", "--", *wanted, f"results/tiny/evaluate/{RUN}/puzzles/scores.parquet")
    return checkout.root / "results" / "tiny"


def test_it_trains_from_the_base_that_has_read_puzzles(results: Path) -> None:
    manifest = read_json(results / "train" / RUN / "run.json")
    assert manifest["status"] == "finished"
    metrics = pd.read_parquet(results / "train" / RUN / "metrics.parquet")
    assert len(metrics) == 2
    assert metrics["accuracy"].between(0.02, 0.98).all()  # puzzles are solved, and not all of them


@pytest.mark.parametrize("run_id", [RUN, BASE])
def test_scores_by_task_in_both_modes_beside_their_ceilings(results: Path, run_id: str) -> None:
    folder = results / "evaluate" / run_id / "puzzles"
    scores = pd.read_csv(folder / "puzzles.csv").set_index("task")
    verdicts = pd.read_parquet(folder / "puzzles.parquet")
    assert scores.loc["all", "samples"] == len(verdicts) == 4 * scores.loc["all", "problems"]
    assert scores.loc["all", "official"] == pytest.approx((verdicts["official"] == "correct").mean())
    assert 0.02 < scores.loc["all", "rules"] <= scores.loc["all", "official"] < 0.98
    tasks = scores.drop(index="all")
    assert tasks["samples"].sum() == len(verdicts)
    assert (tasks["reachable"] == 1).all()
    assert (tasks["official"] <= tasks["ceiling"]).all()


def test_the_scored_accuracy_is_the_official_one(results: Path) -> None:
    folder = results / "evaluate" / RUN / "puzzles"
    scores = pd.read_parquet(folder / "scores.parquet").set_index("statistic")
    assert scores.loc["avg_at_k", "value"] == pytest.approx(pd.read_csv(folder / "puzzles.csv")["official"].iloc[-1])
