"""A study of four runs with round numbers, for the tests of ``rlvr.report``."""

from pathlib import Path

import pandas as pd
import yaml

from rlvr.report.evidence import Evidence, index_scores, summarise_spectra

SCORES = {"lora-s1": 0.60, "lora-s2": 0.70, "lora-s3": 0.80, "dora-s1": 0.55}  # every interval is 0.05 to either side
PARAMETERS = {"lora-s1": 5_376, "lora-s2": 5_376, "lora-s3": 5_376, "dora-s1": 43_646_976}
EFFECTIVE_RANKS = {"lora-s1": (1.0, 2.0, 6.0), "dora-s1": (10.0, 20.0, 30.0)}  # one value a module

SCORE = {"statistic": "avg_at_k", "benchmark": "hard"}
OUTPUTS = {
    "table1": {
        "kind": "table",
        "source": "table 1",
        "caption": "Scores of 100 % & more_or_less.",
        "labels": ["Method", "Setting"],
        "columns": [
            {"key": "parameters", "header": ["", "Parameters"], "statistic": "trainable_parameters", "runs": "s1"},
            {"key": "rank", "header": ["", "Rank"], "statistic": "effective_rank", "runs": "s1", "decimals": 2},
            {"key": "seed_1", "header": ["Score (%)", "Seed 1"], **SCORE, "runs": "s1"},
            {"key": "seed_2", "header": ["Score (%)", "Seed 2"], **SCORE, "runs": "s2"},
            {"key": "mean", "header": ["Score (%)", "Mean"], **SCORE, "runs": ["s1", "s2", "s3"], "reduce": "mean"},
            {"key": "std", "header": ["Score (%)", "SD"], **SCORE, "runs": ["s1", "s2", "s3"], "reduce": "std"},
            {"key": "best", "header": ["Score (%)", "Best"], **SCORE, "runs": ["s1", "s2", "s3"], "reduce": "max"},
            {"key": "gap", "header": ["Score (%)", "Gap"], **SCORE, "runs": ["s2", "s1"], "reduce": "difference"},
        ],
        "rows": [
            {"key": "lora", "labels": ["LoRA", "r = 8"], "runs": {"s1": "lora-s1", "s2": "lora-s2", "s3": "lora-s3"}},
            {"key": "dora", "labels": ["DoRA", "r = 8_x"], "runs": {"s1": "dora-s1", "s2": "dora-s2", "s3": "dora-s3"}},
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
            "curves": [{"series": "x", "run": "lora-s1"}, {"series": "y", "run": "dora-s2"}],
        },
    },
}
REPORTED = "row,parameters,seed_1,mean\nlora,22M,62.3,78.1\ndora,43.6M,,74.4\n"


def write_study(folder: Path, outputs: dict | None = None, reported: str = REPORTED) -> Path:
    """Write ``outputs.yaml`` and ``reported/table1.csv``; the path of the former."""
    (folder / "reported").mkdir(parents=True, exist_ok=True)
    (folder / "reported" / "table1.csv").write_text(reported)
    (folder / "outputs.yaml").write_text(yaml.safe_dump({"outputs": outputs or OUTPUTS}, sort_keys=False))
    return folder / "outputs.yaml"


def score_frame() -> pd.DataFrame:
    """The runs' scores in the columns of ``tables.SCORES``."""
    shares = dict.fromkeys(("wrong_share", "unparsed_share", "timed_out_share", "truncated_share"), 0.25)
    lines = [
        {
            "run_id": run_id, "benchmark": "hard", "statistic": "avg_at_k", "k": 4, "n_problems": 256,
            "value": value, "low": value - 0.05, "high": value + 0.05, **shares, "mean_completion_tokens": 10.0,
        }
        for run_id, value in SCORES.items()
    ]  # fmt: skip
    return pd.DataFrame(lines)


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
    return Evidence(index_scores(score_frame()), PARAMETERS, summarise_spectra(spectra_frame()))
