"""Cells against cells: one panel for each horizontal quantity, on a logarithmic axis."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.labels import Label
from rlvr.plan.options import option
from rlvr.plan.outputs import Output
from rlvr.report.looks import FULL_WIDTH_MM, NEUTRAL, SMALLEST_PT, Drawing, new_figure, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


WIDE_RANGE = 200.0  # of an axis, from which its ticks are powers of ten
VERTICAL = {"y": "value", "y_low": "low", "y_high": "high"}  # columns of a cell by those of a point


@dataclass(frozen=True)
class Panel:
    """One panel."""

    x: str = option("column of the horizontal axis")
    header: str = option("axis label with its unit")
    x_mean: str | None = option("column that takes its place where it was run: a mean over seeds", default=None)
    spread: str | None = option("column of the horizontal bars", default=None)


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    cells: ClassVar[bool] = True
    y: str = option("column of the vertical axis")
    panels: tuple[Panel, ...] = option("panels from left to right")
    y_mean: str | None = option("column that takes its place where it was run: a mean over seeds", default=None)
    header: str | None = option("label of the vertical axis; the heading of its column by default", default=None)
    y_limits: tuple[float, ...] | None = option("ends of the vertical axis", default=None, minItems=2, maxItems=2)
    frontier: bool = option("whether what lies below the best point further left is shaded", default=False)

    def columns(self) -> Collection[str]:
        """Every column that is drawn."""
        optional = [self.y_mean, *(name for panel in self.panels for name in (panel.spread, panel.x_mean))]
        return [self.y, *(panel.x for panel in self.panels), *filter(None, optional)]

    def mistake(self) -> str:
        """Limits in the wrong order."""
        low, high = self.y_limits or (0, 1)
        return "" if low < high else f"'y_limits' goes from {low:g} to {high:g}."


def table(drawing: Drawing) -> "pd.DataFrame":
    """The cells (``tables.CELLS``)."""
    from rlvr.report.files import make_cells

    return make_cells(drawing.output, drawing.scope, drawing.inputs)


def point_table(output: Output, cells: "pd.DataFrame", options: Options, panel: Panel) -> "pd.DataFrame":
    """One line per point of a panel, with what the paper prints for it.

    Returns:
        Index row; columns series, text (the last label), x, spread, y, y_low, y_high, printed_x, printed_y. A mean over
        seeds takes the place of one seed, on both axes, where it was run.
    """
    import pandas as pd

    rows = [row.key for row in output.rows]
    names = [options.y, panel.x, *filter(None, (options.y_mean, panel.x_mean, panel.spread))]
    by_column = {name: cells[cells["column"] == name].set_index("row").loc[rows] for name in names}
    x, y = by_column[panel.x], by_column[options.y]
    found = pd.DataFrame(
        {
            "series": [row.series for row in output.rows],
            "text": [row.labels[-1].partition(" (here")[0] for row in output.rows],
            "x": x["value"].astype(float),
            "spread": by_column[panel.spread]["value"].astype(float) if panel.spread else 0.0,
            **{name: y[column].astype(float) for name, column in VERTICAL.items()},
            "printed_x": x["reported"].astype(float),
            "printed_y": y["reported"].astype(float),
        },
        index=pd.Index(rows, name="row"),
    )
    if options.y_mean and panel.x_mean:
        x_mean, y_mean = by_column[panel.x_mean], by_column[options.y_mean]
        known = x_mean["value"].notna() & y_mean["value"].notna()
        found.loc[known, "x"] = x_mean.loc[known, "value"].astype(float)
        for name, column in VERTICAL.items():
            found.loc[known, name] = y_mean.loc[known, column].astype(float)
    return found


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Points with bars; the points of a series are joined, and named by rank where their label is one."""
    from matplotlib.container import ErrorbarContainer

    options: Options = drawing.options
    figure = new_figure(FULL_WIDTH_MM)
    places = panels(figure, 1, len(options.panels), sharey=True)
    points = [point_table(drawing.output, table, options, panel) for panel in options.panels]
    for axes, panel, own in zip(places, options.panels, points, strict=True):
        for series, part in _drawable(own).groupby("series", sort=False):
            _draw_series(axes, part, drawing.labels[str(series)])
        _draw_printed(axes, own, drawing.labels)
        _log_axis(axes, panel.header)
        if options.frontier:
            _shade_frontier(axes, _drawable(own))
    (column,) = (column for column in drawing.output.columns if column.key == options.y)
    places[0].set_ylabel(plot_text(options.header or " ".join(column.header)))
    if column.unit == "%":
        places[0].set_ylim(0, 100)
    if options.y_limits:
        places[0].set_ylim(*options.y_limits)
    handles, names = places[0].get_legend_handles_labels()
    if handles:  # of points with bars, the marker alone
        markers = [handle[0] if isinstance(handle, ErrorbarContainer) else handle for handle in handles]
        figure.legend(markers, names, loc="outside lower center", ncols=min(len(names), 4))
    figure.canvas.draw()  # fixes the layout, in which labels are then moved apart
    for axes, own in zip(places, points, strict=True):
        _name_points(axes, _drawable(own), own)
    return figure


def _drawable(points: "pd.DataFrame") -> "pd.DataFrame":
    """The points that were run and have a place on a logarithmic axis."""
    return points[points["x"] > 0].dropna(subset=["x", "y"])


def _draw_printed(axes: "Axes", points: "pd.DataFrame", labels: Mapping[str, Label]) -> None:
    """What the paper prints, once per number, as open grey markers of the series' form."""
    known = points.dropna(subset=["printed_x", "printed_y"]).drop_duplicates(["printed_x", "printed_y"])
    for place, (_, point) in enumerate(known.iterrows()):
        marker, name = labels[str(point["series"])].marker, None if place else "as printed"
        axes.plot(
            point["printed_x"], point["printed_y"], marker, color=NEUTRAL, fillstyle="none", markersize=5,
            markeredgewidth=0.8, zorder=1, linestyle="none", label=name,
        )  # fmt: skip


def _draw_series(axes: "Axes", part: "pd.DataFrame", label: Label) -> None:
    """Seaborn has no points with bars of both directions: matplotlib's own."""
    x, y, spread = part["x"], part["y"], part["spread"].fillna(0.0)
    # a bar that reached zero has no place on a logarithmic axis
    x_bars = [spread.where(spread < x, 0.95 * x), spread]
    y_bars = [(y - part["y_low"]).clip(lower=0).fillna(0), (part["y_high"] - y).clip(lower=0).fillna(0)]
    _, caps, bars = axes.errorbar(
        x, y, xerr=x_bars, yerr=y_bars, fmt=label.marker, color=label.colour, fillstyle=label.fill, label=label.name,
        linestyle=label.line if len(part) > 1 else "none", linewidth=0.8, elinewidth=0.5, capsize=1, markersize=4,
    )  # fmt: skip
    for artist in (*caps, *bars):
        artist.set_alpha(0.5)


def _name_points(axes: "Axes", points: "pd.DataFrame", every: "pd.DataFrame") -> None:
    """Ranks beside their points, moved clear of each other and of all points, the printed ones among them."""
    from adjustText import adjust_text
    from matplotlib.patheffects import withStroke

    ranks = points[points["text"].str.startswith("r = ")].drop_duplicates(["text", "x", "y"])
    outline = [withStroke(linewidth=1.2, foreground="white")]
    texts = [
        axes.text(x, y, plot_text(text[4:]), fontsize=SMALLEST_PT, path_effects=outline)
        for text, x, y in zip(ranks["text"], ranks["x"], ranks["y"], strict=True)
    ]
    printed = every.dropna(subset=["printed_x", "printed_y"])
    if texts:
        adjust_text(
            texts, x=[*points["x"], *printed["printed_x"]], y=[*points["y"], *printed["printed_y"]],
            target_x=list(ranks["x"]),
            target_y=list(ranks["y"]), ax=axes, iter_lim=500, expand=(1.5, 1.7), force_text=(0.4, 0.6),
            force_static=(0.4, 0.6), force_explode=(0.4, 0.8), max_move=None, min_arrow_len=4,
            arrowprops={"arrowstyle": "-", "color": "#707070", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2},
        )  # fmt: skip


def _shade_frontier(axes: "Axes", points: "pd.DataFrame") -> None:
    """What a point with no larger x reaches: a staircase over the points from left to right."""
    ends = axes.get_xlim()
    steps = points.sort_values("x")[["x", "y"]]
    if len(steps):
        x, y = [*steps["x"], ends[1]], [*steps["y"].cummax(), steps["y"].max()]
        axes.fill_between(x, y, step="post", color=NEUTRAL, alpha=0.15, linewidth=0, zorder=0)
        axes.set_xlim(*ends)


def _log_axis(axes: "Axes", header: str) -> None:
    """Logarithmic horizontal axis with plain numbers: at 1, 2 and 5, over more than two decades at powers of ten."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    axes.set(xscale="log", xlabel=f"{header} (log scale)")
    low, high = axes.get_xlim()
    wide = high > WIDE_RANGE * low
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(NullLocator())
