"""How the leading singular values of base models fall before training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.options import option
from rlvr.report.evidence import read_tables
from rlvr.report.looks import FULL_WIDTH_MM, ONE_COLUMN_MM, Drawing, draw_lines, new_figure, one_legend, panels, say

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    models: tuple[str, ...] = option("base models, in the order of the legend")

    def evidence(self) -> Mapping[str, Sequence[str]]:
        """Leading singular values of each base."""
        return {"frozen": self.models}

    def series(self) -> Sequence[str]:
        """One line per base."""
        return self.models


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`mean_decay`."""
    from rlvr.tables import FROZEN_SPECTRA

    return mean_decay(read_tables(drawing.inputs.get("frozen", ()), FROZEN_SPECTRA), drawing.options.models)


def mean_decay(frozen: "pd.DataFrame", models: Sequence[str]) -> "pd.DataFrame":
    """Mean and standard deviation over layers of the normalised singular values.

    Matrices with different numbers of values are kept apart: a mean over all of them would jump where the smaller ones
    end, for no other reason than that they leave it.

    Args:
        frozen: ``tables.FROZEN_SPECTRA``.
        models: Models to keep, in this order.

    Returns:
        Columns model, values (how many each matrix has), index, mean, std (n - 1), layers.
    """
    import pandas as pd

    counted = frozen.assign(values=frozen.groupby(["model", "module"])["index"].transform("max"))
    groups = counted.groupby(["model", "values", "index"])["normalised"]
    found = groups.agg(mean="mean", std="std", layers="count").reset_index()
    parts = [found[found["model"] == model].sort_values(["values", "index"]) for model in models]
    return pd.concat(parts, ignore_index=True)


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """One panel per number of values, the most numerous first; one line and band per model."""
    sizes = sorted(set(table["values"]), reverse=True)
    figure = new_figure(ONE_COLUMN_MM if len(sizes) < 2 else FULL_WIDTH_MM)
    places = panels(figure, 1, max(1, len(sizes)), sharey=True)
    if not sizes:
        say(places[0], "no base model of this figure was measured")
    for axes, size in zip(places, sizes, strict=False):
        part = table[table["values"] == size].rename(columns={"model": "series", "index": "x"})
        draw_lines(axes, part, drawing.options.models, drawing.labels)
        axes.set(xlabel="Index of the singular value", ylabel="Singular value / largest of its layer", ylim=(0, 1.02))
        axes.set_xlim(1 - 0.01 * size, 1.01 * size)
        axes.set_xticks([1, *(round(size * share / 4) for share in (1, 2, 3, 4))])
        if len(sizes) > 1:
            axes.set_title(f"matrices with {size} values", fontsize="medium")
    if sizes:
        one_legend(figure, places[0])
    return figure
