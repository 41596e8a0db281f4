"""Cells against cells: one panel for each horizontal quantity, on a logarithmic axis."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.labels import Label
from rlvr.plan.options import option
from rlvr.plan.outputs import Output
from rlvr.report.looks import FULL_WIDTH_MM, SMALLEST_PT, Drawing, new_figure, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Panel:
    """One panel."""

    x: str = option("column of the horizontal axis")
    header: str = option("axis label with its unit")
    spread: str | None = option("column of the horizontal bars", default=None)


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    cells: ClassVar[bool] = True
    y: str = option("column of the vertical axis")
    panels: tuple[Panel, ...] = option("panels from left to right")
    header: str | None = option("label of the vertical axis; the heading of its column by default", default=None)
    y_limits: tuple[float, ...] | None = option("ends of the vertical axis", default=None)

    def columns(self) -> Collection[str]:
        """Every column that is drawn."""
        spreads = [panel.spread for panel in self.panels if panel.spread]
        return [self.y, *(panel.x for panel in self.panels), *spreads]


def table(drawing: Drawing) -> "pd.DataFrame":
    """The cells (``tables.CELLS``)."""
    from rlvr.report.files import make_cells

    return make_cells(drawing.output, drawing.scope, drawing.inputs)


def point_table(output: Output, cells: "pd.DataFrame", y: str) -> "pd.DataFrame":
    """One line per point: series, short text, the value of every column, and y, y_low, y_high."""
    rows = [row.key for row in output.rows]
    wide = cells.pivot(index="row", columns="column", values="value").astype(float).loc[rows]
    vertical = cells[cells["column"] == y].set_index("row").loc[rows]
    return wide.assign(
        series=[row.series for row in output.rows],
        text=[row.labels[-1].partition(" (here")[0] for row in output.rows],
        y=vertical["value"],
        y_low=vertical["low"],
        y_high=vertical["high"],
    )


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Points with bars; the points of a series are joined, and named by rank where their label is one."""
    from matplotlib.container import ErrorbarContainer

    options: Options = drawing.options
    points = point_table(drawing.output, table, options.y)
    figure = new_figure(FULL_WIDTH_MM)
    places = panels(figure, 1, len(options.panels), sharey=True)
    for axes, panel in zip(places, options.panels, strict=True):
        shown = points[points[panel.x] > 0].dropna(subset=[panel.x, "y"])
        for series, part in shown.groupby("series", sort=False):
            _draw_series(axes, part, panel, drawing.labels[str(series)])
        _log_axis(axes, panel.header)
    (column,) = (column for column in drawing.output.columns if column.key == options.y)
    places[0].set_ylabel(plot_text(options.header or " ".join(column.header)))
    if column.unit == "%":
        places[0].set_ylim(0, 100)
    if options.y_limits:
        places[0].set_ylim(*options.y_limits)
    handles, names = places[0].get_legend_handles_labels()
    if handles:
        markers = [handle[0] for handle in handles if isinstance(handle, ErrorbarContainer)]  # without the bars
        figure.legend(markers, names, loc="outside lower center", ncols=min(len(names), 6))
    figure.canvas.draw()  # fixes the layout, in which labels are then moved apart
    for axes, panel in zip(places, options.panels, strict=True):
        _name_points(axes, points[points[panel.x] > 0].dropna(subset=[panel.x, "y"]), panel)
    return figure


def _draw_series(axes: "Axes", part: "pd.DataFrame", panel: Panel, label: Label) -> None:
    """Seaborn has no points with bars of both directions: matplotlib's own."""
    x, y = part[panel.x], part["y"]
    spread = part[panel.spread].fillna(0.0) if panel.spread else None
    # a bar that reached zero has no place on a logarithmic axis
    x_bars = None if spread is None else [spread.where(spread < x, 0.95 * x), spread]
    y_bars = [(y - part["y_low"]).clip(lower=0).fillna(0), (part["y_high"] - y).clip(lower=0).fillna(0)]
    _, caps, bars = axes.errorbar(
        x, y, xerr=x_bars, yerr=y_bars, fmt=label.marker, color=label.colour, fillstyle=label.fill, label=label.name,
        linestyle=label.line if len(part) > 1 else "none", linewidth=0.8, elinewidth=0.5, capsize=1, markersize=4,
    )  # fmt: skip
    for artist in (*caps, *bars):
        artist.set_alpha(0.5)


def _name_points(axes: "Axes", points: "pd.DataFrame", panel: Panel) -> None:
    """Ranks beside their points, moved clear of each other and of all points; black with a white rim over bars."""
    from adjustText import adjust_text
    from matplotlib.patheffects import withStroke

    ranks = points[points["text"].str.startswith("r = ")].drop_duplicates(["text", panel.x, "y"])
    texts = [
        axes.text(
            x,
            y,
            plot_text(text[4:]),
            fontsize=SMALLEST_PT,
            path_effects=[withStroke(linewidth=1.2, foreground="white")],
        )
        for text, x, y in zip(ranks["text"], ranks[panel.x], ranks["y"], strict=True)
    ]
    if texts:
        adjust_text(
            texts, x=list(points[panel.x]), y=list(points["y"]), target_x=list(ranks[panel.x]),
            target_y=list(ranks["y"]), ax=axes, iter_lim=500, expand=(1.5, 1.7), force_text=(0.4, 0.6),
            force_static=(0.4, 0.6), force_explode=(0.4, 0.8), max_move=None, min_arrow_len=4,
            arrowprops={"arrowstyle": "-", "color": "#707070", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2},
        )  # fmt: skip


def _log_axis(axes: "Axes", header: str) -> None:
    """Logarithmic horizontal axis with plain numbers at 1, 2 and 5, which also serves less than a decade."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    axes.set(xscale="log", xlabel=f"{plot_text(header)} (log scale)")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(NullLocator())
