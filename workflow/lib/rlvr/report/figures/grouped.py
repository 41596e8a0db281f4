"""Cells side by side: one group per column, one marker with its interval per row, as a bar chart without the bars."""

from collections.abc import Collection
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, ClassVar

from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.options import option
from rlvr.report.looks import FULL_WIDTH_MM, NEUTRAL, Drawing, new_figure, one_legend, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 0.7  # of a group, whose neighbours are 1 apart
LABEL_CHARACTERS = 14  # of a line below a group


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    cells: ClassVar[bool] = True
    groups: tuple[str, ...] = option("columns of cells, from left to right")
    header: str = option("label of the vertical axis with its unit")

    def columns(self) -> Collection[str]:
        """Every column that is drawn."""
        return self.groups


def table(drawing: Drawing) -> "pd.DataFrame":
    """The cells (``tables.CELLS``)."""
    from rlvr.report.files import make_cells

    return make_cells(drawing.output, drawing.scope, drawing.inputs)


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Markers with 95 % intervals, rows beside each other in every group; what was not run is left out."""
    options: Options = drawing.options
    figure = new_figure(FULL_WIDTH_MM)
    (axes,) = panels(figure)
    rows = [row for row in drawing.output.rows if row.series]
    for place, row in enumerate(rows):
        shift = WIDTH * ((place + 0.5) / len(rows) - 0.5)
        _draw_row(axes, table[table["row"] == row.key].set_index("column"), shift, row.series, drawing)
    headers = {column.key: column.header[-1] for column in drawing.output.columns}
    axes.set_xticks(
        range(len(options.groups)), [plot_text(fill(headers[key], LABEL_CHARACTERS)) for key in options.groups]
    )
    for edge in range(1, len(options.groups)):
        axes.axvline(edge - 0.5, color=NEUTRAL, linewidth=0.4, zorder=0)
    axes.set(ylabel=plot_text(options.header), xlim=(-0.5, len(options.groups) - 0.5))
    one_legend(figure, axes)
    return figure


def _draw_row(axes: "Axes", cells: "pd.DataFrame", shift: float, series: str, drawing: Drawing) -> None:
    look = drawing.labels[series]
    part = cells.loc[list(drawing.options.groups), ["value", "low", "high"]].astype(float)
    ends = (part["value"] - part["low"], part["high"] - part["value"])
    bars = [end.clip(lower=0).fillna(0) for end in ends]
    axes.errorbar(
        [place + shift for place in range(len(part))], part["value"], yerr=bars, fmt=look.marker, color=look.colour,
        fillstyle=look.fill, label=look.name, linestyle="none", elinewidth=0.6, capsize=1.5, markersize=4,
    )  # fmt: skip
