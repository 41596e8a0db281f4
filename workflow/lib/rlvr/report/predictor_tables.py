"""Which numbers of a run foretell its accuracy: explained shares by cross-validation over seeds, as an output."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from rlvr.plan.options import build
from rlvr.plan.outputs import Output
from rlvr.plan.predictors import PREDICTORS, SETTING, PredictorOptions
from rlvr.report.cells import ReportScope
from rlvr.report.evidence import InputPaths, load_evidence
from rlvr.report.predictors import points_of_runs, usable
from rlvr.report.render import DASH, Table, TextColumn
from rlvr.stats.monotone import Explained, compare_predictors, rank_correlation

NOTE = (
    "Explained share: one minus the squared error of a monotone line over that of the mean, both fitted on all seeds "
    "but one and tried on that one; zero or less for a useless predictor. Intervals: 95 %, over draws of settings. "
    "Ahead: less the share of the first predictor, on the same draws. Runs without one of the predictors are left out."
)
FEWEST_SETTINGS = 3
COLUMNS = ("series", "predictor", "known", "runs", "settings", "seeds", "correlation",
           "share", "low", "high", "ahead", "ahead_low", "ahead_high")  # fmt: skip


def tabulate_predictors(
    output: Output, scope: ReportScope, inputs: InputPaths, provenance: list[str]
) -> tuple[pd.DataFrame, Table]:
    """A table of predictors: one line for each series and predictor."""
    options = build(PredictorOptions, output.plot, f"outputs.yaml, output '{output.key}'")
    frame = explain(points_of_runs(options, load_evidence(inputs)), options)
    records = frame.to_dict("records")
    columns = [
        TextColumn("label", ("Runs",), [f"{line['series']} ({line['runs']})" for line in records]),
        TextColumn("label", ("Predictor",), [PREDICTORS[line["predictor"]].header for line in records]),
        TextColumn("label", ("Known",), [line["known"] for line in records]),
        TextColumn("ours", ("Rank correlation",), [_number(line["correlation"]) for line in records]),
        TextColumn("ours", ("Explained share",), [_with_interval(line, "share", "low", "high") for line in records]),
        TextColumn("ours", ("Ahead",), [_with_interval(line, "ahead", "ahead_low", "ahead_high") for line in records]),
    ]
    keys = [f"{line['series']}-{line['predictor']}".replace("_", "-") for line in records]
    return frame, Table(output, keys, columns, [[] for _ in records], [NOTE], scope.remark, provenance)


def explain(points: pd.DataFrame, options: PredictorOptions) -> pd.DataFrame:
    """Explained shares of every series (columns ``COLUMNS``); NaN where fewer than three settings or two seeds ran.

    Args:
        points: As :func:`rlvr.report.predictors.points_of_runs` gives them.
        options: The predictors and the series.
    """
    lines = [line for series in options.series() for line in _explain_series(str(series), points, options)]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _explain_series(series: str, points: pd.DataFrame, options: PredictorOptions) -> list[dict[str, object]]:
    own = points[points["series"] == series]
    names = [name for name in options.predictors if own[name].notna().any()]
    own = usable(own, names)
    x_PN, y_N = own[names].to_numpy(dtype=float).T, own["accuracy"].to_numpy(dtype=float)
    enough = own["setting"].nunique() >= FEWEST_SETTINGS and own["seed"].nunique() > 1
    nothing = Explained(*[math.nan] * 6)
    found = compare_predictors(x_PN, y_N, own["seed"].tolist(), own["setting"].tolist()) if enough else None
    return [
        {
            "series": series,
            "predictor": name,
            "known": "before" if PREDICTORS[name].source == SETTING else "after",
            "runs": len(own),
            "settings": own["setting"].nunique(),
            "seeds": own["seed"].nunique(),
            "correlation": rank_correlation(x_PN[place], y_N) if len(own) else math.nan,
            **vars(found[place] if found else nothing),
        }
        for place, name in enumerate(names)
    ]


def _number(value: float) -> str:
    return DASH if math.isnan(value) else f"{value:.2f}"


def _with_interval(line: Mapping[Hashable, Any], *names: str) -> str:
    value, low, high = (float(str(line[name])) for name in names)
    return DASH if np.isnan(value) else f"{value:.2f} [{low:.2f}, {high:.2f}]"
