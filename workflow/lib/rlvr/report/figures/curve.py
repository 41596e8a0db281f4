"""A training metric over the steps of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import MOST_STEPS, RunsOptions, Series
from rlvr.plan.options import option
from rlvr.plan.statistics import METRICS
from rlvr.report.evidence import read_tables
from rlvr.report.looks import (
    NEUTRAL,
    ONE_COLUMN_MM,
    Drawing,
    draw_lines,
    integer_ticks,
    new_figure,
    one_legend,
    panels,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


STYLES, TOLD = ("--", ":", "-."), "#606060"  # of marks, and of what is told of them


@dataclass(frozen=True)
class Mark:
    """A step that the paper's text names."""

    step: int = option("optimizer step", minimum=0, maximum=MOST_STEPS)
    text: str = option("what happens there")


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure."""

    reads = "metrics"

    metric: str = option("what training logged that it shows", enum=list(METRICS))
    header: str = option("label of the vertical axis")
    curves: tuple[Series, ...] = option("runs of each series; several are averaged")
    window_steps: int = option("width of the running mean", default=1, minimum=1, maximum=MOST_STEPS)
    marks: tuple[Mark, ...] = option("steps that the paper names, at its size", default=(), maxItems=len(STYLES))


def table(drawing: Drawing) -> "pd.DataFrame":
    """Columns run_id, series, step, the metric, and ``smooth``, its running mean."""
    import pandas as pd

    from rlvr.tables import METRICS as SCHEMA

    options: Options = drawing.options
    metrics = read_tables(drawing.inputs.get("metrics", ()), SCHEMA)[["run_id", "step", options.metric]]
    series = options.series_of()
    parts = [
        part.sort_values("step").assign(
            series=series[str(run_id)], smooth=lambda run: running_mean(run[options.metric], options.window_steps)
        )
        for run_id, part in metrics.groupby("run_id", sort=False)
    ]
    empty = metrics.assign(series=pd.Series(dtype=str), smooth=pd.Series(dtype=float))
    return pd.concat(parts, ignore_index=True) if parts else empty


def _draw_marks(axes: "Axes", marks: Sequence[Mark], last: int) -> None:
    """Vertical lines where the paper names a step; those behind the last step of all runs are told in the panel."""
    for mark, style in zip(marks, STYLES, strict=False):
        if mark.step <= last:
            name = plot_text(f"{mark.text} (printed)")
            axes.axvline(mark.step, color=NEUTRAL, linestyle=style, linewidth=1.0, label=name)
    beyond = [f"{mark.text} near step {mark.step}" for mark in marks if mark.step > last]
    if beyond:
        told = plot_text("\n".join(["printed, not reached here:", *beyond]))
        axes.text(0.98, 0.04, told, transform=axes.transAxes, ha="right", va="bottom", fontsize=6.5, color=TOLD)


def running_mean(values: "pd.Series[float]", window: int) -> "pd.Series[float]":
    """Centred mean over ``window`` steps, over fewer at either end."""
    return values.rolling(window, center=True, min_periods=1).mean()


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Thin lines: every step of every run; thick: mean of the running means, band one standard deviation over runs."""
    options: Options = drawing.options
    figure = new_figure(ONE_COLUMN_MM)
    (axes,) = panels(figure)
    for _, run in table.groupby("run_id"):
        colour = drawing.labels[run["series"].iloc[0]].colour
        axes.plot(run["step"], run[options.metric], color=colour, linewidth=0.5, alpha=0.5)
    groups = table.astype({"smooth": float}).groupby(["series", "step"])["smooth"]
    lines = groups.agg(mean="mean", std="std").reset_index().rename(columns={"step": "x"})
    draw_lines(axes, lines, list(options.series()), drawing.labels)
    for series in options.series():
        if series not in set(lines["series"]):
            axes.plot([], [], " ", label=f"{drawing.labels[series].name}: not run")
    _draw_marks(axes, options.marks, int(table["step"].max()) if len(table) else 0)
    axes.set(xlabel="Optimizer step", ylabel=plot_text(options.header))
    integer_ticks(axes)
    one_legend(figure, axes)
    return figure
