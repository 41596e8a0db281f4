"""Training metrics of many runs over their steps: one panel per metric, one thin line per run."""

import math
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import RunsOptions, Series
from rlvr.plan.options import option
from rlvr.plan.statistics import METRICS
from rlvr.report.evidence import read_tables
from rlvr.report.looks import (
    FULL_WIDTH_MM,
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
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_MM, LEGEND_MM = 40.0, 12.0
PANELS_PER_ROW = 4
LABEL_CHARACTERS = 20  # of a line that fits beside a panel
FAR_APART = 100.0  # largest over smallest value (over the median where some are 0) from which an axis is logarithmic


@dataclass(frozen=True)
class Panel:
    """One panel."""

    metric: str = option("what training logged", enum=list(METRICS))
    header: str = option("label of the vertical axis with its unit")


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure."""

    reads = "metrics"
    overview = True

    panels: tuple[Panel, ...] = option("panels row by row")
    curves: tuple[Series, ...] = option("runs of each series")


def table(drawing: Drawing) -> "pd.DataFrame":
    """Columns run_id, series, step, metric, value (in the unit of ``statistics.METRICS``); only what was logged."""
    from rlvr.tables import METRICS as SCHEMA

    options: Options = drawing.options
    names = [panel.metric for panel in options.panels]
    series = options.series_of()
    metrics = read_tables(drawing.inputs.get("metrics", ()), SCHEMA)[["run_id", "step", *names]]
    long = metrics.melt(["run_id", "step"], names, "metric", "value").dropna(subset=["value"])
    factors = {name: METRICS[name][1] for name in names}
    found = long.assign(
        series=long["run_id"].map(series), value=long["value"].astype(float) * long["metric"].map(factors).astype(float)
    )
    return found[["run_id", "series", "step", "metric", "value"]].sort_values(["metric", "run_id", "step"])


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Thin: every run; thick: median over the runs of a series, as far as all of them go."""
    options: Options = drawing.options
    rows = -(-len(options.panels) // PANELS_PER_ROW)
    columns = min(PANELS_PER_ROW, len(options.panels))
    figure = new_figure((FULL_WIDTH_MM[0], rows * ROW_MM + LEGEND_MM))
    places = panels(figure, rows, columns, sharex=True)
    for axes, panel in zip(places, options.panels, strict=False):
        part = table[table["metric"] == panel.metric]
        if part.empty:
            say(axes, f"{plot_text(panel.header)}:\nnot logged")
            continue
        _draw_panel(axes, part, drawing)
        axes.set_ylabel(plot_text(fill(panel.header, LABEL_CHARACTERS)))
        integer_ticks(axes)
    for axes in places[-columns:]:
        axes.set_xlabel("Optimizer step")
    for axes in places[len(options.panels) :]:
        axes.set_axis_off()
    shown = [axes for axes in places if axes.lines]
    if shown:
        one_legend(figure, max(shown, key=lambda axes: len(axes.get_legend_handles_labels()[1])))
    return figure


def _draw_panel(axes: "Axes", part: "pd.DataFrame", drawing: Drawing) -> None:
    for run_id, run in part.groupby("run_id"):
        look = drawing.labels[str(run["series"].iloc[0])]
        axes.plot(run["step"], run["value"], color=look.colour, linewidth=0.35, alpha=0.35, label=f"_{run_id}")
    draw_lines(axes, medians(part), list(drawing.options.series()), drawing.labels, linewidth=1.1)
    fit_scale(axes, part["value"].dropna())


def fit_scale(axes: "Axes", values: "pd.Series[float]") -> None:
    """A logarithmic axis for values that lie far apart; with a linear part from 0 on where some of them are 0."""
    positive = values[values > 0]
    if positive.empty or (values < 0).any():
        return
    if len(positive) == len(values):
        if positive.max() > FAR_APART * positive.min():
            axes.set_yscale("log")
    elif positive.max() > FAR_APART * positive.median():
        axes.set_yscale("symlog", linthresh=10.0 ** math.floor(math.log10(positive.median())))
        axes.set_ylim(bottom=0)
        axes.minorticks_off()


def medians(part: "pd.DataFrame") -> "pd.DataFrame":
    """Median over the runs of each series at each step that all of them have; columns series, x, mean (the median).

    A median over fewer runs further on would move for no other reason than that runs leave it.
    """
    groups = part.groupby(["series", "step"])["value"].agg(mean="median", runs="count").reset_index()
    whole = groups["runs"] == groups.groupby("series")["runs"].transform("max")
    return groups[whole].rename(columns={"step": "x"})[["series", "x", "mean"]]
