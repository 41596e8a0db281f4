"""Spectra of tuned weights beside those of their base: how far leading directions turn, how far their values move.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", section 4.1, figures 4, 12, 13 and 15 to 17.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.plan.figure_options import RunsOptions, Series
from rlvr.plan.options import option
from rlvr.plan.targets import PROJECTIONS
from rlvr.report.evidence import paths_of, read_tables
from rlvr.report.figures._lines import drawn, summarised
from rlvr.report.looks import (
    FULL_WIDTH_MM,
    NEUTRAL,
    ONE_COLUMN_MM,
    Drawing,
    draw_lines,
    integer_ticks,
    new_figure,
    one_legend,
    panels,
    say,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

QUANTITIES: Mapping[str, str] = {  # word of a line, and the label of its panel
    "angle": "Principal angle (degrees)",
    "value": "Singular value / largest of the base",
    "shift": "Change of the singular value (%)",
}
BASE = "base-value"


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure; its lines are named ``<series>-<angle, value or shift>``."""

    reads = "diagnostics"

    curves: tuple[Series, ...] = option("runs or pairs of each series; several are averaged")
    depth: float | None = option(
        "depth of the layer, 0 for the first and 1 for the last; without it all", default=None, minimum=0, maximum=1
    )
    projection: str | None = option(
        "last part of the name of the matrix; without it all", default=None, enum=[*PROJECTIONS, None]
    )

    def lines(self) -> list[str]:
        """A line for every series and quantity."""
        return [f"{curve.series}-{word}" for curve in self.curves for word in QUANTITIES]


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`probe_table`."""
    from rlvr.tables import DIAGNOSTICS

    diagnostics = read_tables(paths_of(drawing.inputs, "diagnostics"), DIAGNOSTICS)
    return probe_table(diagnostics, drawing.options.series_of(), drawing.options.depth, drawing.options.projection)


def probe_table(
    diagnostics: "pd.DataFrame", series: Mapping[str, str], depth: float | None, projection: str | None
) -> "pd.DataFrame":
    """Angles and singular values over the index of a direction.

    Args:
        diagnostics: ``tables.DIAGNOSTICS``.
        series: Series of every run.
        depth: Of the layer that is looked at; ``None`` for all that are decomposed.
        projection: Of its matrix; ``None`` for all.

    Returns:
        ``_lines.COLUMNS``: of every series ``angle`` (mean of left and right, degrees), ``value`` (over the largest
        value of the base) and ``shift`` (percent of the base's value); and ``base-value``.
    """
    import numpy as np
    import pandas as pd

    names = ["left_angle", "right_angle", "base_value", "tuned_value"]
    shown = diagnostics[diagnostics["quantity"].isin(names) & diagnostics["run_id"].isin(list(series))]
    if projection is not None:
        shown = shown[shown["projection"] == projection]
    if depth is not None and len(shown):
        layers = sorted(shown["layer"].unique())
        shown = shown[shown["layer"] == layers[round(depth * (len(layers) - 1))]]
    keys = ["run_id", "module", "index"]
    wide = shown.pivot(index=keys, columns="quantity", values="value").reindex(columns=names).reset_index()
    if wide.empty:
        return summarised(pd.DataFrame(columns=["series", "index", "value", "run_id"]))
    largest = wide.groupby(["run_id", "module"])["base_value"].transform("max")
    found = {
        "angle": np.degrees((wide["left_angle"] + wide["right_angle"]) / 2),
        "value": wide["tuned_value"] / largest,
        "shift": 100 * (wide["tuned_value"] / wide["base_value"] - 1),
    }
    parts = [
        wide.assign(series=wide["run_id"].map(series).astype(str) + f"-{word}", value=values)
        for word, values in found.items()
    ]
    parts.append(wide.assign(series=BASE, value=wide["base_value"] / largest))
    return summarised(pd.concat(parts, ignore_index=True).dropna(subset=["value"]))


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Three panels: angles, values with those of the base in grey, and changes of the values."""
    figure = new_figure((FULL_WIDTH_MM[0], ONE_COLUMN_MM[1]))
    places = panels(figure, 1, len(QUANTITIES))
    keys: Sequence[str] = list(drawing.options.series())
    for axes, (word, header) in zip(places, QUANTITIES.items(), strict=True):
        lines = drawn(table, {f"{key}-{word}": key for key in keys})
        if lines.empty:
            say(axes, "none of these runs is in the selected tier")
            continue
        draw_lines(axes, lines, keys, drawing.labels)
        if word == "value":
            base = table[table["series"] == BASE].sort_values("index")
            axes.plot(base["index"], base["mean"], color=NEUTRAL, linewidth=2.5, alpha=0.6, label="base", zorder=0)
        if word == "shift":
            axes.axhline(0, color=NEUTRAL, linewidth=0.8, zorder=0)
        axes.set(xlabel="Leading direction of the base", ylabel=header)
        integer_ticks(axes)
    one_legend(figure, places[1])
    return figure
