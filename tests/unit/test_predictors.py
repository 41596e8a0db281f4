"""Points of runs and the table of what foretells them, from crafted results."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from rlvr.plan.options import build
from rlvr.plan.predictors import PREDICTORS, PredictorOptions
from rlvr.report.evidence import Evidence
from rlvr.report.predictor_tables import explain
from rlvr.report.predictors import of_settings, points_of_runs

RANKS, SEEDS = (1, 4, 16, 32), (42, 43, 44)


def crafted(accuracy_of):
    """Evidence of twelve runs whose accuracy follows from rank and seed."""
    scores, spectra, metrics, manifests = [], [], [], {}
    for rank in RANKS:
        for seed in SEEDS:
            run = f"lora-r{rank}_s{seed}"
            settings = {"rank": rank, "alpha": 2.0 * rank, "learning_rate": 0.01, "completions_per_step": 64,
                        "seed": seed, "run_id": run, "method": "lora"}  # fmt: skip
            manifests[run] = {"run_id": run, "settings": settings}
            scores.append((run, "easy", "avg_at_k", accuracy_of(rank, seed) / 100, 0.0, 1.0))
            spectra.append((run, "relative_norm", 14, 0.1 * rank, 0.01, 0.0))
            metrics += [
                {
                    "run_id": run,
                    "step": step,
                    "grad_norm": float(step == 3) * rank,
                    "kl": 0.1 * step,
                    "entropy": math.nan,
                }
                for step in range(1, 15)
            ]
    return Evidence(
        scores=pd.DataFrame(scores, columns=["run_id", "benchmark", "statistic", "value", "low", "high"]).set_index(
            ["run_id", "benchmark", "statistic"]
        ),
        manifests=manifests,
        spectra=pd.DataFrame(spectra, columns=["run_id", "quantity", "count", "mean", "std", "error"]).set_index(
            ["run_id", "quantity"]
        ),
        metrics=pd.DataFrame(metrics),
    )


def options(*predictors, runs=None):
    names = runs or [f"lora-r{rank}_s{seed}" for rank in RANKS for seed in SEEDS]
    plot = {"benchmark": "easy", "predictors": list(predictors), "curves": [{"series": "lora", "runs": names}]}
    return build(PredictorOptions, plot, "here")


def test_a_point_has_what_settings_update_and_log_say():
    chosen = options(
        "rank", "scaling", "effective_step", "relative_norm", "peak_grad_norm", "final_kl", "entropy", "batch"
    )
    points = points_of_runs(chosen, crafted(lambda rank, seed: rank + seed))
    (point,) = points[points["run_id"] == "lora-r16_s43"].to_dict("records")
    expected = {"rank": 16, "scaling": 2, "effective_step": 2 * 0.01 * 4, "relative_norm": 1.6, "peak_grad_norm": 16,
                "final_kl": 0.1 * np.mean(range(5, 15)), "batch": 64, "accuracy": 59, "seed": 43}  # fmt: skip
    assert {name: point[name] for name in expected} == pytest.approx(expected)
    assert math.isnan(point["entropy"])
    assert points["setting"].nunique() == len(RANKS)
    assert "seed" not in json.loads(point["setting"])


def test_methods_without_rank_have_no_scaling():
    settings = {"rank": None, "alpha": None, "learning_rate": 0.01}
    assert of_settings("learning_rate", settings) == 0.01
    assert all(math.isnan(of_settings(name, settings)) for name in ("rank", "scaling", "effective_step"))


def test_the_table_tells_a_good_predictor_from_a_constant_one():
    evidence = crafted(lambda rank, seed: 90 - 2 * rank)
    chosen = options("scaling", "rank", "entropy")
    table = explain(points_of_runs(chosen, evidence), chosen).set_index("predictor")
    assert list(table.index) == ["scaling", "rank"], "what no run has is left out"
    assert table.loc["rank", "share"] == pytest.approx(1) and table.loc["rank", "correlation"] == pytest.approx(-1)
    assert table.loc["scaling", "share"] == pytest.approx(0)
    assert table.loc["rank", "ahead_low"] > 0.9
    assert set(table["known"]) == {"before"} and set(table["runs"]) == {12} and set(table["settings"]) == {4}


def test_too_few_settings_or_seeds_give_no_share():
    evidence = crafted(lambda rank, seed: 90 - 2 * rank)
    for runs in (["lora-r1_s42", "lora-r4_s42", "lora-r16_s42"], ["lora-r1_s42", "lora-r1_s43", "lora-r4_s43"]):
        chosen = options("rank", runs=runs)
        assert explain(points_of_runs(chosen, evidence), chosen)["share"].isna().all()


def test_runs_that_were_not_scored_are_left_out():
    evidence = crafted(lambda rank, seed: 50)
    chosen = options("rank", runs=["lora-r1_s42", "lora-r99_s42"])
    assert points_of_runs(chosen, evidence)["run_id"].tolist() == ["lora-r1_s42"]
    assert explain(points_of_runs(options("rank", runs=["none"]), evidence), chosen)["runs"].tolist() in ([0], [])


def test_every_predictor_can_be_named():
    assert options(*PREDICTORS).predictors == tuple(PREDICTORS)
