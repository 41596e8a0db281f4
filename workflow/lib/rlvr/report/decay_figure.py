"""How frozen singular values fall in every projection: the whole decay, its spread over layers, and power laws."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rlvr.plan.outputs import Output
from rlvr.report.cells import Scope
from rlvr.report.evidence import InputPaths, read_tables
from rlvr.report.files import write_text
from rlvr.report.looks import FULL_WIDTH_MM, PROJECTIONS, Label, find_label, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT_MM = 46.0  # of one row of panels
COLUMNS = 4


def projections_file(
    output: Output, labels: Mapping[str, Label], _scope: Scope, inputs: InputPaths, csv_path: str
) -> "Figure":
    """File shell of the figure; what it shows goes to the CSV."""
    from rlvr.tables import DECAY

    models = output.plot["models"]
    decay = read_tables(inputs.decay, DECAY)
    write_text(decay.to_csv(index=False), csv_path)
    return draw_projections(decay, models, labels)


def draw_projections(decay: pd.DataFrame, models: Sequence[str], labels: Mapping[str, Label]) -> "Figure":
    """One panel a projection, both axes logarithmic: mean and band of one standard deviation over layers.

    Args:
        decay: ``tables.DECAY``.
        models: In the order of the legend.
        labels: Looks of the models; each panel notes their power-law exponents in the same colours.
    """
    found = set(decay["projection"])
    projections = [name for name in ("all", *PROJECTIONS) if name in found] + sorted(found - {"all", *PROJECTIONS})
    rows = max(1, -(-len(projections) // COLUMNS))
    figure, _ = new_figure((FULL_WIDTH_MM[0], rows * HEIGHT_MM), columns=0)
    panels = figure.subplots(rows, max(1, min(COLUMNS, len(projections))), sharex=True, sharey=True, squeeze=False).flat
    for axes, projection in zip(panels, projections, strict=False):
        part = decay[decay["projection"] == projection]
        for place, model in enumerate(models):
            _draw_model(axes, part[part["model"] == model], find_label(labels, model), place)
        axes.set(xscale="log", yscale="log")
        axes.minorticks_off()  # those of sixteen logarithmic axes take half of the time of drawing
        axes.set_title(projection, fontsize="medium")
    for axes in list(panels)[len(projections) :]:
        axes.set_axis_off()
    figure.supxlabel("Index of the singular value", fontsize="medium")
    figure.supylabel("Singular value / largest of its layer", fontsize="medium")
    return figure


def _draw_model(axes: "Axes", part: pd.DataFrame, label: Label, place: int) -> None:
    curve = part[part["quantity"] == "normalised"].sort_values("index")
    exponent = part[part["quantity"] == "exponent_full"]
    if curve.empty:
        return
    axes.plot(curve["index"], curve["mean"], label.line, color=label.colour, label=label.name)
    floor = float(curve["mean"].min()) / 2
    low = np.maximum(curve["mean"] - curve["std"], floor)
    axes.fill_between(curve["index"], low, curve["mean"] + curve["std"], color=label.colour, alpha=0.15, linewidth=0)
    text = f"{label.name}: {exponent['mean'].iloc[0]:.2f} ± {exponent['std'].iloc[0]:.2f}"
    axes.text(0.04, 0.05 + 0.09 * place, text, transform=axes.transAxes, fontsize=5, color=label.colour)
