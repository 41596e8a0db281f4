"""Where the runs from one base change the same weights: consensus maps, and Jaccard indices against chance.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", figures 2 and 8, table 2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.labels import Label
from rlvr.plan.options import option
from rlvr.report.evidence import read_tables
from rlvr.report.looks import (
    FULL_WIDTH_MM,
    ONE_COLUMN_MM,
    SMALLEST_PT,
    Drawing,
    draw_lines,
    integer_ticks,
    new_figure,
    panels,
    say,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = ("q_proj", "k_proj", "v_proj", "o_proj", "down_proj")  # SOURCE: the projections of its figure 2
LINES = {
    "jaccard": Label("runs", "#0072B2", "o", "full", "-"),
    "independent_jaccard": Label("independent masks", "#000000", "s", "none", "--"),
}


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    base: str = option("base model whose runs it compares")

    def evidence(self) -> Mapping[str, Sequence[str]]:
        """The comparison of the runs from this base."""
        return {"agreement": [self.base], "consensus": [self.base]}


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`jaccard_table`."""
    return jaccard_table(_agreement(drawing))


def jaccard_table(agreement: "pd.DataFrame") -> "pd.DataFrame":
    """Mean over pairs of runs and over a layer's modules.

    Args:
        agreement: ``tables.AGREEMENT``.

    Returns:
        Columns layer, jaccard, independent_jaccard.
    """
    pairs = agreement[agreement["quantity"].isin(list(LINES))]
    wide = pairs.pivot_table(index="layer", columns="quantity", values="value", aggfunc="mean")
    return wide.reindex(columns=list(LINES)).reset_index()


def shown_modules(agreement: "pd.DataFrame", maps: Mapping[str, Any]) -> list[str]:
    """The modules of the middle one of those layers that have maps, in the order of the paper's figure."""
    kept = agreement[agreement["module"].isin(list(maps)) & agreement["projection"].isin(SHOWN)]
    modules = kept[["layer", "projection", "module"]].drop_duplicates()
    layers = sorted(modules["layer"].unique())
    middle = modules[modules["layer"] == layers[len(layers) // 2]] if layers else modules
    return sorted(middle["module"], key=lambda name: SHOWN.index(name.rpartition(".")[2]))


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Maps above, indices of every layer below."""
    import numpy as np

    figure = new_figure((FULL_WIDTH_MM[0], 2 * ONE_COLUMN_MM[1]))
    upper, lower = figure.subfigures(2, 1, squeeze=False)[:, 0]
    paths = drawing.inputs.get("consensus", ())
    if paths:
        with np.load(paths[0]) as maps:
            _draw_maps(upper, {name: maps[name] for name in shown_modules(_agreement(drawing), maps)})
    (axes,) = panels(lower)
    _draw_indices(axes, table)
    return figure


def _agreement(drawing: Drawing) -> "pd.DataFrame":
    from rlvr.tables import AGREEMENT

    return read_tables(drawing.inputs.get("agreement", ()), AGREEMENT)


def _draw_maps(figure: Any, maps: Mapping[str, Any]) -> None:
    """Matrices as pictures: seaborn's maps write one cell at a time, which is not a way to draw millions."""
    places = panels(figure, 1, max(1, len(maps)))
    for axes, (module, consensus) in zip(places, maps.items(), strict=False):
        image = axes.imshow(consensus, cmap="cividis", vmin=0, vmax=100, aspect="auto")
        axes.set_xlabel(f"Input\n{module.removeprefix('model.')}", fontsize=SMALLEST_PT)
        axes.grid(visible=False)
    places[0].set_ylabel("Output")
    if maps:
        figure.colorbar(image, ax=places, label="Runs that changed a weight (%)")
    else:
        say(places[0], "no consensus maps")


def _draw_indices(axes: "Axes", table: "pd.DataFrame") -> None:
    long = table.melt("layer", list(LINES), "series", "mean").rename(columns={"layer": "x"})
    draw_lines(axes, long.dropna(), list(LINES), LINES)
    if len(table):
        axes.set_xlim(table["layer"].min() - 0.5, table["layer"].max() + 0.5)
    axes.set(xlabel="Layer", ylabel="Mean Jaccard index", ylim=(0, 1.02))
    integer_ticks(axes)
    if axes.has_data():
        axes.legend()
