"""An overview of all runs, in the manner of a leaderboard: one table as CSV, and as a page with filter and picture."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.csvfile import csv_text
from rlvr.core.escaping import visible_texts
from rlvr.core.io import read_json
from rlvr.report.evidence import read_tables
from rlvr.report.files import write_text
from rlvr.report.page import page_environment

if TYPE_CHECKING:
    import pandas as pd

TITLE = "All runs"
STATISTIC = "avg_at_k"
FACTS = ("model", "dataset", "method")
COLUMNS = {
    "run_id": "run", "accuracy": "accuracy (%)", "gain": "against the base", "method": "method", "setting": "setting",
    "model": "model", "dataset": "trained on", "share": "share (%)", "trainable": "trainable", "steps": "steps",
    "seed": "seed",
}  # fmt: skip


def write_runs(
    described: Sequence[Mapping[str, Any]],
    paths: Mapping[str, Sequence[str]],
    facts: Mapping[str, Any],
    templates: str | Path,
    csv_path: str,
    html_path: str,
) -> None:
    """Write the overview.

    Args:
        described: Per run ``run_plan.describe_run`` and ``base``, the run id of its untrained base.
        paths: ``manifests`` (``run.json``), ``models`` (``model.json``) and ``scores`` of runs and bases.
        facts: ``scale``, ``tier`` and ``comparable``.
        templates: ``paper/runs``.
        csv_path: One row per run and benchmark.
        html_path: The page.
    """
    from rlvr.tables import SCORES

    manifests = {content["run_id"]: content for content in map(read_json, paths["manifests"])}
    sizes = {Path(path).parent.name: read_json(path).get("parameters") for path in paths["models"]}
    runs = run_records(described, manifests, sizes, read_tables(list(paths["scores"]), SCORES))
    write_text(csv_text(as_frame(runs)), csv_path)
    write_text(page_text(runs, facts, Path(templates)), html_path)


def run_records(
    described: Sequence[Mapping[str, Any]],
    manifests: Mapping[str, Mapping[str, Any]],
    sizes: Mapping[str, int | None],
    scores: "pd.DataFrame",
) -> list[dict[str, Any]]:
    """One record per finished run: facts, trainable parameters and their share of the base (%), scores by benchmark.

    Args:
        described: See :func:`write_runs`; runs without a manifest are left out.
        manifests: By run id.
        sizes: Parameters of the bases by name of the model.
        scores: ``tables.SCORES`` of runs and bases.
    """
    averages = scores[scores["statistic"] == STATISTIC]
    found = {(row["run_id"], row["benchmark"]): row for row in averages.to_dict("records")}
    records = []
    for run in described:
        manifest = manifests.get(run["run_id"])
        if manifest is None:
            continue
        trainable, size = manifest["trainable_parameters"], sizes.get(run["base_model"])
        own = {benchmark: row for (run_id, benchmark), row in found.items() if run_id == run["run_id"]}
        records.append(
            {
                **{name: run[name] for name in ("run_id", "setting", "seed", *FACTS)},
                "trainable": trainable,
                "share": 100 * trainable / size if size else None,
                "steps": manifest["steps"],
                "scores": {
                    name: {
                        **{key: row[key] for key in ("k", "value", "low", "high")},
                        "base": found.get((run["base"], name), {}).get("value"),
                    }
                    for name, row in own.items()
                },
            }
        )
    return records


def as_frame(runs: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """The records as a table, one row per run and benchmark; shares and accuracies in percent."""
    import pandas as pd

    facts = ("run_id", *FACTS, "setting", "seed", "trainable", "share", "steps")
    rows = [
        {
            **{name: run[name] for name in facts},
            "benchmark": benchmark,
            "k": score["k"],
            **{name: round(100 * score[name], 4) for name in ("value", "low", "high")},
            "base": None if score["base"] is None else round(100 * score["base"], 4),
        }
        for run in runs
        for benchmark, score in run["scores"].items()
    ]
    return pd.DataFrame(rows, columns=[*facts, "benchmark", "k", "value", "low", "high", "base"])


def page_text(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], templates: Path) -> str:
    """The page, self-contained: its data stand in it as JSON that ends no element, its script writes text only."""
    from markupsafe import Markup

    benchmarks = list(dict.fromkeys(name for run in runs for name in run["scores"]))
    data = json.dumps(visible_texts({"runs": runs, "columns": COLUMNS}), default=str).replace("<", "\\u003c")
    note = "" if facts["comparable"] else "Stand-ins of what the papers train: numbers compare with no printed one."
    page = (
        page_environment(templates)
        .get_template("runs.html.j2")
        .render(
            title=TITLE,
            scale=facts["scale"],
            tier=facts["tier"],
            note=note,
            back="report.html",
            runs=runs,
            columns=COLUMNS,
            benchmarks=benchmarks,
            choices={name: sorted({str(run[name]) for run in runs}) for name in FACTS},
            data=Markup(data),
        )
    )
    return f"{page}\n"
