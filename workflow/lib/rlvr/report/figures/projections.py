"""How frozen singular values fall in every projection: the whole decay, its spread over layers, and power laws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.labels import Label
from rlvr.plan.options import option
from rlvr.report.evidence import read_tables
from rlvr.report.looks import (
    FULL_WIDTH_MM,
    SMALLEST_PT,
    Drawing,
    draw_lines,
    new_figure,
    one_legend,
    ordered_projections,
    panels,
    say,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT_MM = 46.0  # of one row of panels
PANELS_PER_ROW = 4


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    models: tuple[str, ...] = option("base models, in the order of the legend")

    def evidence(self) -> Mapping[str, Sequence[str]]:
        """Summary of the spectra of each base."""
        return {"decay": self.models}

    def series(self) -> Sequence[str]:
        """One line per base."""
        return self.models


def table(drawing: Drawing) -> "pd.DataFrame":
    """Measured decays of all bases, one row per value (``tables.DECAY``)."""
    from rlvr.tables import DECAY

    return read_tables(drawing.inputs.get("decay", ()), DECAY)


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """One panel per projection, both axes logarithmic: mean and band of one standard deviation over layers.

    A curve ends where its smallest matrix does: beyond, it would be a mean over other matrices.
    """
    found = set(table["projection"])
    projections = [*(["all"] if "all" in found else []), *ordered_projections(found - {"all"})]
    rows = max(1, -(-len(projections) // PANELS_PER_ROW))
    figure = new_figure((FULL_WIDTH_MM[0], rows * HEIGHT_MM + 8))
    columns = max(1, min(PANELS_PER_ROW, len(projections)))
    places = panels(figure, rows, columns, sharex=True, sharey=True)
    for axes, projection in zip(places, projections, strict=False):
        part = table[table["projection"] == projection]
        draw_lines(axes, complete_curves(part), drawing.options.models, drawing.labels)
        _note_exponents(axes, part, drawing.options.models, drawing.labels)
        axes.set(xscale="log", yscale="log", xlabel="", ylabel="")
        axes.minorticks_off()  # those of sixteen logarithmic axes take half of the time of drawing
        axes.set_title(projection, fontsize="medium")
    for axes in places[len(projections) :]:
        say(axes, "" if projections else "no base model of this figure was measured")
    figure.supxlabel("Index of the singular value", fontsize="medium")
    figure.supylabel("Singular value / largest of its layer", fontsize="medium")
    one_legend(figure, places[0], above=True)
    return figure


def complete_curves(part: "pd.DataFrame") -> "pd.DataFrame":
    """Mean curves as far as every layer of the model has a value; columns series, x, mean, std."""
    curves = part[part["quantity"] == "normalised"]
    whole = curves[curves["layers"] == curves.groupby("model")["layers"].transform("max")]
    floor = whole["mean"].min() / 2 if len(whole) else 0.0
    bounded = whole.assign(std=whole["std"].where(whole["std"] < whole["mean"] - floor, whole["mean"] - floor))
    return bounded.rename(columns={"model": "series", "index": "x"})


def _note_exponents(axes: "Axes", part: "pd.DataFrame", models: Sequence[str], labels: Mapping[str, Label]) -> None:
    """Exponent and share of variance that the power law explains, in black; the marker says whose they are."""
    means = part[part["index"] == 0].set_index(["model", "quantity"])["mean"].to_dict()
    for place, model in enumerate(name for name in models if (name, "exponent_full") in means):
        exponent, explained = means[model, "exponent_full"], means.get((model, "r_squared_full"))
        height, label = 0.06 + 0.1 * place, labels[model]
        axes.plot([0.07], [height + 0.02], label.marker, color=label.colour, fillstyle=label.fill, markersize=3,
                  transform=axes.transAxes, zorder=3)  # fmt: skip
        note = f"{exponent:.2f}" + ("" if explained is None else f" (r² {explained:.2f})")
        axes.text(0.12, height, note, transform=axes.transAxes, fontsize=SMALLEST_PT)
