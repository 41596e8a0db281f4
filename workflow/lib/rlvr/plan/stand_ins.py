"""Stand-ins of a small scale are named beside the printed thing that they replace, in every table and figure.

Where a scale fetches no public checkpoints, runs stand in for pairs of them.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rlvr.plan.outputs import Output, Row, selected_runs

SYNTHETIC = "synthetic"  # origin of a data set whose rows are made here
OF_SYNTHETIC_ROWS = "Its rows are synthetic at this scale."
STANDING_IN = (
    "Here runs of the grid stand in for public checkpoints (stand_in of pairs.csv), under the names of the checkpoints."
)


def name_stand_ins(output: Output, specs: Mapping[str, Mapping[str, Any]], models: Mapping[str, str]) -> Output:
    """An output whose row labels and caption name the stand-ins of its models and ranks.

    Args:
        output: Declaration.
        specs: Resolved settings by run id, with what the paper prints under ``printed``.
        models: What stands in for a model, by the model's displayed name; empty at a scale without stand-ins.

    Returns:
        The declaration with ``Qwen 3 8B (Qwen3 stand-in, 81 K)`` for a label that is a model's name, ``r = 8 (here 1)``
        for one that names a printed rank, and the stand-in beside the first mention of a model in the caption.
    """
    rows = tuple(_named_row(row, output, specs, models) for row in output.rows)
    caption = output.caption
    for name, stand_in in models.items():
        caption = re.sub(rf"{re.escape(name)}(?!\w)", f"{name} [here {stand_in}]", caption, count=1)
    return replace(output, rows=rows, caption=caption)


def name_synthetic_data(output: Output, datasets: Mapping[str, Mapping[str, Any]]) -> Output:
    """An output whose caption says so where the data sets that it shows have synthetic rows at this scale.

    Args:
        output: Declaration.
        datasets: The scale's data sets; what it shows of others is not there.
    """
    shown = [name for name in output.reads.get("cards", ()) if isinstance(name, str) and name in datasets]
    if any(datasets[name]["origin"] == SYNTHETIC for name in shown):
        return replace(output, caption=f"{output.caption.rstrip()} {OF_SYNTHETIC_ROWS}")
    return output


def _named_row(row: Row, output: Output, specs: Mapping[str, Mapping[str, Any]], models: Mapping[str, str]) -> Row:
    runs = [name for column in output.columns for name in selected_runs(row, column)]
    ranks = {(specs[name]["printed"]["rank"], specs[name]["rank"]) for name in runs if name in specs}
    labels = [f"{label} ({models[label]})" if label in models else label for label in row.labels]
    if len(ranks) == 1:
        ((printed, trained),) = ranks
        if printed != trained:
            labels = [re.sub(rf"\br = {printed}\b", f"r = {printed} (here {trained})", label) for label in labels]
    return replace(row, labels=tuple(labels))


def replace_pairs(output: Output, runs: Mapping[str, str]) -> Output:
    """An output with runs in the place of pairs of checkpoints; it says so in the labels of rows, or below a picture.

    Args:
        output: Declaration.
        runs: The run that stands in for a pair, by the pair's name; other pairs stay what they are.
    """

    def named(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: named(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(named(entry) for entry in value)
        return runs.get(value, value) if isinstance(value, str) else value

    plot = named(output.plot)
    return replace(
        output,
        caption=output.caption if plot == output.plot else f"{output.caption.rstrip()} {STANDING_IN}",
        rows=tuple(_row_of_runs(row, runs, named(row.runs)) for row in output.rows),
        plot=plot,
        reads=named(output.reads),
        pairs=tuple(name for name in output.pairs if name not in runs),
    )


def _row_of_runs(row: Row, runs: Mapping[str, str], shown: Any) -> Row:
    replaced = {runs[name] for sides in row.runs.values() for side in sides for name in side if name in runs}
    labels = (
        (*row.labels[:-1], f"{row.labels[-1]} [here {_short(replaced.pop())}]") if len(replaced) == 1 else row.labels
    )
    return replace(row, runs=shown, labels=labels)


def _short(run_id: str) -> str:
    """Data set, method and seed of a run by its id; the id where it has another form."""
    parts = run_id.split("_")
    return ", ".join((*parts[1:3], parts[4])) if len(parts) > 4 else run_id
