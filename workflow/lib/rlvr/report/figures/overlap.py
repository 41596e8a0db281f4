"""Which share of the changed weights is principal, of low magnitude, or principal and not of low magnitude, by layer.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", figure 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.plan.figure_options import RunsOptions, Series
from rlvr.plan.options import option
from rlvr.report.evidence import paths_of, read_tables
from rlvr.report.figures._lines import drawn, scalars_of, summarised
from rlvr.report.looks import (
    FULL_WIDTH_MM,
    NEUTRAL,
    ONE_COLUMN_MM,
    Drawing,
    draw_lines,
    integer_ticks,
    new_figure,
    one_legend,
    panels,
    say,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MASKS: Mapping[str, str] = {  # word of a mask in names of lines, and what its panel says
    "principal": "principal",
    "low": "of low magnitude",
    "principal-not-low": "principal, not of low magnitude",
}
CHANCE = "chance"


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure; its lines are named ``<series>-<mask>`` and ``<series>-<mask>-chance``."""

    reads = "diagnostics"

    curves: tuple[Series, ...] = option("runs of each series; several are averaged")

    def lines(self) -> list[str]:
        """A line and its chance for every series and mask."""
        names = [f"{curve.series}-{mask}" for curve in self.curves for mask in MASKS]
        return [*names, *(f"{name}-{CHANCE}" for name in names)]


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`overlap_table`."""
    from rlvr.tables import DIAGNOSTICS

    return overlap_table(read_tables(paths_of(drawing.inputs, "diagnostics"), DIAGNOSTICS), drawing.options.series_of())


def overlap_table(diagnostics: "pd.DataFrame", series: Mapping[str, str]) -> "pd.DataFrame":
    """Overlap with every mask, and the share that a random mask would have, in percent.

    Args:
        diagnostics: ``tables.DIAGNOSTICS``.
        series: Series of every run.

    Returns:
        ``_lines.COLUMNS``; index is the layer, mean and standard deviation are over its modules and the runs.
    """
    import pandas as pd

    quantities = [f"{word}_{mask.replace('-', '_')}" for mask in MASKS for word in ("overlap", CHANCE)]
    wide = scalars_of(diagnostics, quantities)
    wide = wide[wide["run_id"].isin(list(series))]
    parts = []
    for quantity in quantities:
        word, _, mask = quantity.partition("_")
        ending = f"-{mask.replace('_', '-')}" + (f"-{CHANCE}" if word == CHANCE else "")
        names = wide["run_id"].map(series).astype(str) + ending
        parts.append(wide.assign(series=names, index=wide["layer"], value=100 * wide[quantity].astype(float)))
    long = pd.concat(parts, ignore_index=True)
    return summarised(long.dropna(subset=["value"]))


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """One panel per mask; dashed and grey: a random mask."""
    figure = new_figure((FULL_WIDTH_MM[0], ONE_COLUMN_MM[1]))
    places = panels(figure, 1, len(MASKS), sharex=True)
    for axes, (mask, words) in zip(places, MASKS.items(), strict=True):
        _draw_panel(axes, table, mask, drawing)
        axes.set(xlabel="Layer", ylabel=f"Changed weights that are\n{words} (%)")
        integer_ticks(axes)
    one_legend(figure, places[0])
    return figure


def _draw_panel(axes: "Axes", table: "pd.DataFrame", mask: str, drawing: Drawing) -> None:
    keys = list(drawing.options.series())
    lines = drawn(table, {f"{key}-{mask}": key for key in keys})
    if lines.empty:
        say(axes, "no run that was decomposed")
        return
    draw_lines(axes, lines, keys, drawing.labels)
    chance = drawn(table, {f"{key}-{mask}-{CHANCE}": key for key in keys}).groupby("x")["mean"].mean()
    axes.plot(chance.index, chance.to_numpy(), "--", color=NEUTRAL, linewidth=0.9, label="random mask", zorder=0)
