"""Runs as points: how each one ended, beside what might have foretold it."""

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from rlvr.plan.predictors import LOG, PREDICTORS, SETTING, PredictorOptions
from rlvr.report.evidence import Evidence

LAST_STEPS = 10  # of the mean at the end of training
NO_SETTINGS = frozenset({"seed", "run_id"})


def points_of_runs(options: PredictorOptions, evidence: Evidence) -> pd.DataFrame:
    """One row per run that was trained and scored.

    Args:
        options: Which runs, which benchmark, which predictors.
        evidence: Their results.

    Returns:
        Columns series, run_id, setting (equal where runs differ in their seed only), seed, accuracy (percent), and one
        per predictor; NaN where a run has none, as a method without rank has no scaling.
    """
    scored = {run_id for run_id, benchmark, _ in evidence.scores.index if benchmark == options.benchmark}
    rows = [
        {"series": series, **_point(run_id, options, evidence)}
        for run_id, series in options.series_of().items()
        if run_id in scored and run_id in evidence.manifests
    ]
    columns = ["series", "run_id", "setting", "seed", "accuracy", *options.predictors]
    return pd.DataFrame(rows, columns=columns)


def _point(run_id: str, options: PredictorOptions, evidence: Evidence) -> dict[str, Any]:
    settings = evidence.manifests[run_id]["settings"]
    kept = {name: value for name, value in settings.items() if name not in NO_SETTINGS}
    return {
        "run_id": run_id,
        "setting": json.dumps(kept, sort_keys=True),
        "seed": int(settings["seed"]),
        "accuracy": 100 * evidence.score(run_id, options.benchmark, "avg_at_k").value,
        **{name: value_of(name, run_id, settings, evidence) for name in options.predictors},
    }


def value_of(name: str, run_id: str, settings: Mapping[str, Any], evidence: Evidence) -> float:
    """A predictor of one run; NaN where its method has none."""
    predictor = PREDICTORS[name]
    if predictor.source == SETTING:
        return of_settings(name, settings)
    if predictor.source == LOG:
        assert evidence.metrics is not None
        values = evidence.metrics.loc[evidence.metrics["run_id"] == run_id].sort_values("step")[predictor.quantity]
        known = values.dropna().astype(float)
        if known.empty:
            return math.nan
        return float({"final": known.tail(LAST_STEPS).mean, "mean": known.mean, "max": known.max}[predictor.summary]())
    return evidence.spectral(run_id, predictor.quantity, "mean").value


def of_settings(name: str, settings: Mapping[str, Any]) -> float:
    """A predictor that is known before training, of the settings as trained; NaN where there is no rank.

    >>> of_settings("effective_step", {"rank": 4, "alpha": 8, "learning_rate": 0.01})
    0.04
    """
    rank, alpha, rate = settings.get("rank"), settings.get("alpha"), float(settings["learning_rate"])
    scaling = math.nan if rank is None or alpha is None else float(alpha) / rank
    found = {
        "rank": math.nan if rank is None else float(rank),
        "scaling": scaling,
        "learning_rate": rate,
        "effective_step": math.nan if rank is None else scaling * rate * math.sqrt(rank),
        "batch": float(settings.get("completions_per_step", math.nan)),
    }
    return found[name]


def usable(points: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The points that have every one of these predictors and a score."""
    return points.dropna(subset=["accuracy", *names])
