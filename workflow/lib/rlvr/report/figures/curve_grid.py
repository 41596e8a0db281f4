"""A training metric over the steps of many runs, a panel for each setting that they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import MOST_STEPS, FigureOptions, Series
from rlvr.plan.options import option
from rlvr.plan.statistics import METRICS
from rlvr.report.evidence import read_tables
from rlvr.report.figures.curve import running_mean
from rlvr.report.looks import FULL_WIDTH_MM, Drawing, draw_lines, integer_ticks, new_figure, one_legend, panels, say

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ROW_MM, LEGEND_MM = 42.0, 10.0


@dataclass(frozen=True)
class Panel:
    """One panel."""

    title: str = option("what its runs share")
    curves: tuple[Series, ...] = option("runs of each series; several are averaged")


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    metric: str = option("what training logged that it shows", enum=list(METRICS))
    header: str = option("label of the vertical axes with its unit")
    panels: tuple[Panel, ...] = option("panels row by row")
    per_row: int = option("panels in a row", default=3, minimum=1, maximum=4)
    window_steps: int = option("width of the running mean", default=1, minimum=1, maximum=MOST_STEPS)

    def evidence(self) -> Mapping[str, Sequence[str]]:
        """Metrics of all runs."""
        runs = [run_id for panel in self.panels for curve in panel.curves for run_id in curve.runs]
        return {"metrics": list(dict.fromkeys(runs))}

    def series(self) -> Sequence[str]:
        """Looks of all panels."""
        return list(dict.fromkeys(curve.series for panel in self.panels for curve in panel.curves))


def table(drawing: Drawing) -> "pd.DataFrame":
    """Columns panel, curve (key of the series), run_id, step, value (unit of ``statistics.METRICS``) and smooth."""
    import pandas as pd

    from rlvr.tables import METRICS as SCHEMA

    options: Options = drawing.options
    metrics = read_tables(drawing.inputs.get("metrics", ()), SCHEMA)[["run_id", "step", options.metric]]
    parts = []
    for panel in options.panels:
        for curve in panel.curves:
            for run_id in curve.runs:
                run = metrics[metrics["run_id"] == run_id].sort_values("step")
                value = run[options.metric].astype(float) * METRICS[options.metric][1]
                smooth = running_mean(value, options.window_steps)
                parts.append(run.assign(panel=panel.title, curve=curve.series, value=value, smooth=smooth))
    columns = ["panel", "curve", "run_id", "step", "value", "smooth"]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Panels with one scale; the running mean of every series, band one standard deviation over runs."""
    options: Options = drawing.options
    rows = -(-len(options.panels) // options.per_row)
    figure = new_figure((FULL_WIDTH_MM[0], rows * ROW_MM + LEGEND_MM))
    places = panels(figure, rows, min(options.per_row, len(options.panels)), sharex=True, sharey=True)
    for axes, panel in zip(places, options.panels, strict=False):
        part = table[table["panel"] == panel.title]
        if part.empty:
            say(axes, f"{plot_text(panel.title)}:\nnot run")
            continue
        groups = part.astype({"smooth": float}).groupby(["curve", "step"])["smooth"].agg(mean="mean", std="std")
        lines = groups.reset_index().rename(columns={"curve": "series", "step": "x"})
        draw_lines(axes, lines, list(options.series()), drawing.labels)
        axes.text(0.98, 0.98, plot_text(panel.title), ha="right", va="top", transform=axes.transAxes)
        axes.set(xlabel="Optimizer step", ylabel="")
        integer_ticks(axes)
    for axes in places[:: options.per_row]:
        axes.set_ylabel(plot_text(options.header))
    for axes in places[len(options.panels) :]:
        axes.set_axis_off()
    shown = [axes for axes in places if axes.lines]
    if shown:
        one_legend(figure, max(shown, key=lambda axes: len(axes.get_legend_handles_labels()[1])))
    return figure
