"""How runs ended against what might foretell it: one panel per predictor, one point per run, a monotone line each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.core.escaping import plot_text
from rlvr.plan.options import option
from rlvr.plan.predictors import PREDICTORS, PredictorOptions
from rlvr.report.evidence import load_evidence
from rlvr.report.looks import FULL_WIDTH_MM, NEUTRAL, Drawing, new_figure, one_legend, panels, say

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS_PER_ROW = 3
ROW_MM, LEGEND_MM = 48.0, 10.0
FAR_APART = 20.0  # largest over smallest value from which an axis is logarithmic
PLACES = 200  # along a line


@dataclass(frozen=True)
class Options(PredictorOptions):
    """Options of the figure."""

    header: str = option("label of the vertical axis with its unit", default="Accuracy (%)")


def table(drawing: Drawing) -> "pd.DataFrame":
    """Columns series, run_id, setting, seed, accuracy (percent) and one per predictor."""
    from rlvr.report.predictors import points_of_runs

    return points_of_runs(drawing.options, load_evidence(drawing.inputs))


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Points by series; the grey line is the monotone one through the points of all series of a panel."""
    options: Options = drawing.options
    columns = min(PANELS_PER_ROW, len(options.predictors))
    rows = -(-len(options.predictors) // columns)
    figure = new_figure((FULL_WIDTH_MM[0], rows * ROW_MM + LEGEND_MM))
    places = panels(figure, rows, columns, sharey=True)
    for axes, name in zip(places, options.predictors, strict=False):
        known = table.dropna(subset=[name, "accuracy"])
        if known.empty:
            say(axes, f"{PREDICTORS[name].header}:\nnot run")
            continue
        _draw_panel(axes, known, name, drawing)
    for axes in places[len(options.predictors) :]:
        axes.set_axis_off()
    for axes in places[::columns]:
        axes.set_ylabel(plot_text(options.header))
    shown = [axes for axes in places if axes.collections]
    if shown:
        one_legend(figure, max(shown, key=lambda axes: len(axes.get_legend_handles_labels()[1])))
    return figure


def _draw_panel(axes: "Axes", known: "pd.DataFrame", name: str, drawing: Drawing) -> None:
    import numpy as np

    from rlvr.stats.monotone import fit_line

    x_N, y_N = known[name].to_numpy(dtype=float), known["accuracy"].to_numpy(dtype=float)
    for series in drawing.options.series():
        part = known[known["series"] == series]
        if part.empty:
            continue
        look = drawing.labels[str(series)]
        axes.scatter(part[name], part["accuracy"], s=9, marker=look.marker, color=look.colour, alpha=0.6,
                     linewidths=0.4, label=look.name)  # fmt: skip
    is_logarithmic = x_N.min() > 0 and x_N.max() > FAR_APART * x_N.min()
    between = np.geomspace if is_logarithmic else np.linspace
    across = between(x_N.min(), x_N.max(), PLACES)
    axes.plot(across, fit_line(x_N, y_N).at(across), color=NEUTRAL, linewidth=1.0, zorder=1)
    if is_logarithmic:
        axes.set_xscale("log")
    axes.set_xlabel(plot_text(PREDICTORS[name].header))
    axes.set_ylim(0, 100)
