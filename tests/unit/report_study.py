"""A study of four runs with round numbers, for the tests of ``rlvr.report``."""

from pathlib import Path

import pandas as pd
import yaml

from rlvr.plan.outputs import Output
from rlvr.plan.outputs_file import load_outputs
from rlvr.plan.selection import pair_facts, run_facts
from rlvr.report.evidence import Evidence, index_answers, index_scores, summarise_spectra
from rlvr.report.figures import OPTIONS
from rlvr.tables import METRICS

SCHEMA = Path(__file__).resolve().parents[2] / "workflow/schemas/outputs.schema.yaml"
BASES = dict.fromkeys(("lora-s1", "lora-s2", "lora-s3", "dora-s1"), "base")  # of the runs that exist

GRID = {
    f"{method}-s{seed}": {"method": method, "rank": 8, "alpha": 16.0, "seed": seed, "tier": "core"}
    for method in ("lora", "dora")
    for seed in (1, 2, 3)
}
SCORES = {"lora-s1": 0.60, "lora-s2": 0.70, "lora-s3": 0.80, "dora-s1": 0.55}  # every interval is 0.05 to either side
PARAMETERS = {"lora-s1": 5_376, "lora-s2": 5_376, "lora-s3": 5_376, "dora-s1": 43_646_976}
EFFECTIVE_RANKS = {"lora-s1": (1.0, 2.0, 6.0), "dora-s1": (10.0, 20.0, 30.0)}  # one value per module
STEPS = 8
PROBLEMS = 400

FIRST, SECOND = {"where": {"seed": 1}}, {"where": {"seed": 2}}
SCORE = {"statistic": "avg_at_k", "benchmark": "hard"}
OUTPUTS = {
    "table1": {
        "kind": "table",
        "source": "table 1",
        "caption": "Scores of 100 % & more_or_less.",
        "labels": ["Method", "Setting"],
        "columns": [
            {"key": "parameters", "header": ["", "Parameters"], "statistic": "trainable_parameters", **FIRST},
            {"key": "rank", "header": ["", "Rank"], "statistic": "effective_rank", **FIRST, "decimals": 2},
            {"key": "seed_1", "header": ["Score (%)", "Seed 1"], **SCORE, **FIRST},
            {"key": "seed_2", "header": ["Score (%)", "Seed 2"], **SCORE, **SECOND},
            {"key": "mean", "header": ["Score (%)", "Mean"], **SCORE, "reduce": {"mean": "seeds"}},
            {"key": "std", "header": ["Score (%)", "SD"], **SCORE, "reduce": {"std": "seeds"}},
            {"key": "best", "header": ["Score (%)", "Best"], **SCORE, "reduce": {"max": "runs"}},
            {
                "key": "gap", "header": ["Score (%)", "Gap"], **SCORE,
                "reduce": {"difference": ["seed_2", "seed_1"]},
            },
        ],
        "rows": [
            {"key": "lora", "labels": ["LoRA", "r = 8"], "where": {"method": "lora"}},
            {"key": "dora", "labels": ["DoRA", "r = 8_x"], "where": {"method": "dora"}},
        ],
    },
    "figure1": {"kind": "decay", "source": "figure 1", "caption": "Decay.", "plot": {"models": ["b", "a"]}},
    "figure6": {
        "kind": "curve",
        "source": "figure 6",
        "caption": "Curve.",
        "plot": {
            "metric": "reward",
            "header": "Reward",
            "window_steps": 3,
            "curves": [
                {"series": "x", "where": {"method": "lora", "seed": 1}},
                {"series": "y", "where": {"method": "dora", "seed": 2}},
            ],
        },
    },
}  # fmt: skip
REPORTED = "row,parameters,seed_1,mean\nlora,22M,62.3,78.1\ndora,43.6M,,74.4\n"


def write_study(folder: Path, outputs: dict | None = None, reported: str = REPORTED) -> Path:
    """Write ``outputs.yaml`` and ``reported/table1.csv``; the path of the former."""
    (folder / "reported").mkdir(parents=True, exist_ok=True)
    (folder / "reported" / "table1.csv").write_text(reported)
    (folder / "outputs.yaml").write_text(yaml.safe_dump({"outputs": outputs or OUTPUTS}, sort_keys=False))
    return folder / "outputs.yaml"


def load_study(path: Path, grid: dict | None = None, schema: bool = True) -> dict[str, Output]:
    """The outputs of a study over ``GRID``."""
    candidates = run_facts(grid or GRID) | pair_facts({"pair-a": {"tuned": "somewhere"}})
    return load_outputs(path, candidates, OPTIONS, SCHEMA if schema else None)


def score_frame() -> pd.DataFrame:
    """The runs' scores in the columns of ``tables.SCORES``."""
    shares = dict.fromkeys(("wrong_share", "unparsed_share", "timed_out_share", "truncated_share"), 0.25)
    lines = [
        {
            "run_id": run_id, "benchmark": "hard", "statistic": "avg_at_k", "k": 4, "n_problems": PROBLEMS,
            "value": value, "low": value - 0.05, "high": value + 0.05, **shares, "mean_completion_tokens": 10.0,
            "lost_share": 0.0625,
        }
        for run_id, value in SCORES.items()
    ]  # fmt: skip
    return pd.DataFrame(lines)


def answer_frame(benchmark: str = "hard") -> pd.DataFrame:
    """One answer to each of 400 problems, the first of them right, in the columns of ``tables.ANSWERS``."""
    frames = [
        pd.DataFrame(
            {
                "run_id": run_id, "benchmark": benchmark, "statistic": "avg_at_k", "samples": 1,
                "problem_id": [f"p{place:03d}" for place in range(PROBLEMS)],
                "value": [float(place < round(PROBLEMS * value)) for place in range(PROBLEMS)],
            }
        )
        for run_id, value in SCORES.items()
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def spectra_frame(std_error: float = 0.0) -> pd.DataFrame:
    """The runs' effective ranks in the columns of ``tables.SPECTRA``."""
    lines = [
        {
            "run_id": run_id, "module": f"layers.{layer}.q_proj", "layer": layer, "projection": "q_proj", "rows": 8,
            "cols": 8, "quantity": "effective_rank", "value": value, "std_error": std_error, "method": "exact",
        }
        for run_id, values in EFFECTIVE_RANKS.items()
        for layer, value in enumerate(values)
    ]  # fmt: skip
    return pd.DataFrame(lines)


def evidence() -> Evidence:
    """Everything about the four runs."""
    manifests = {run_id: manifest(run_id) for run_id in PARAMETERS}
    models = {"base": {"parameters": 53_760}}
    return Evidence(
        index_scores(score_frame()),
        manifests,
        summarise_spectra(spectra_frame()),
        metrics_frame(),
        models,
        index_answers(answer_frame()),
    )


def manifest(run_id: str) -> dict:
    """The part of a run's ``run.json`` that tables read: 1.8 hours, 1.5 GiB on the host, no accelerator."""
    return {
        "run_id": run_id, "trainable_parameters": PARAMETERS[run_id], "wall_time_s": 6480.0,
        "peak_memory_gib": {"accelerator": 0.0, "host": 1.5}, "settings": {"model": "base"}, "steps": 9,
        "decomposition": {"wall_time_s": 90.0, "peak_memory_gib": {"accelerator": 16.0, "host": 1.5}},
    }  # fmt: skip


def metrics_frame() -> pd.DataFrame:
    """Training metrics of one run: the reward of step n is n / 10."""
    numbers = {name: 0.5 for name, column in METRICS.columns.items() if str(column.dtype) == "float64"}
    steps = range(1, STEPS + 1)
    return pd.DataFrame([{"run_id": "lora-s1", **numbers, "step": step, "reward": step / 10} for step in steps])
