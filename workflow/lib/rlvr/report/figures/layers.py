"""Scalar diagnostics over the layers of a model: one panel per quantity, one line per series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import RunsOptions, Series
from rlvr.plan.options import option
from rlvr.plan.statistics import DIAGNOSTIC, STATISTICS
from rlvr.report.evidence import paths_of, read_tables
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

LABEL_CHARACTERS = 34  # of a line that fits beside a panel
NAMES = [each.name for each in DIAGNOSTIC]


@dataclass(frozen=True)
class Panel:
    """One panel."""

    quantity: str = option("scalar diagnostic that it shows", enum=NAMES)
    header: str = option("label of the vertical axis with its unit")


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure."""

    reads = "diagnostics"

    panels: tuple[Panel, ...] = option("panels from left to right")
    curves: tuple[Series, ...] = option("runs of each series; several are averaged")
    chance: str | None = option(
        "diagnostic that is drawn in grey, what no preference would give", default=None, enum=[*NAMES, None]
    )

    @property
    def quantities(self) -> list[str]:
        """Every diagnostic that is read."""
        return list(dict.fromkeys([*(panel.quantity for panel in self.panels), *filter(None, [self.chance])]))


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`layer_table`."""
    from rlvr.tables import DIAGNOSTICS

    options: Options = drawing.options
    diagnostics = read_tables(paths_of(drawing.inputs, "diagnostics"), DIAGNOSTICS)
    return layer_table(diagnostics, options.series_of(), options.quantities)


def layer_table(diagnostics: "pd.DataFrame", series: Mapping[str, str], quantities: Sequence[str]) -> "pd.DataFrame":
    """Mean and deviation of scalar diagnostics in every layer.

    Args:
        diagnostics: ``tables.DIAGNOSTICS``.
        series: Series of every run.
        quantities: Those to keep.

    Returns:
        Columns quantity, series, layer, mean, std (n - 1) and count over the modules of the layer and the runs, in the
        unit of the statistic.
    """
    chosen = diagnostics[(diagnostics["index"] == 0) & diagnostics["quantity"].isin(list(quantities))]
    known = chosen[chosen["run_id"].isin(list(series)) & (chosen["layer"] >= 0)]
    factors = {name: STATISTICS[name].factor for name in quantities}
    scaled = known.assign(
        series=known["run_id"].map(dict(series)),
        value=known["value"].astype(float) * known["quantity"].map(factors).astype(float),
    )
    groups = scaled.groupby(["quantity", "series", "layer"])["value"]
    return groups.agg(mean="mean", std="std", count="count").reset_index()


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Lines of the means; a panel of which nothing was measured says so."""
    options: Options = drawing.options
    figure = new_figure((FULL_WIDTH_MM[0], ONE_COLUMN_MM[1]))
    places = panels(figure, 1, len(options.panels), sharex=True, sharey=True)
    for axes, panel in zip(places, options.panels, strict=True):
        part = table[table["quantity"] == panel.quantity].rename(columns={"layer": "x"})
        if part.empty:
            say(axes, "nothing was measured")
            continue
        draw_lines(axes, part.drop(columns="std"), list(options.series()), drawing.labels)
        _draw_chance(axes, table, options)
        axes.set(xlabel="Layer", ylabel=plot_text(fill(panel.header, LABEL_CHARACTERS)))
        integer_ticks(axes)
    shown = [axes for axes in places if axes.lines]
    if shown:
        one_legend(figure, shown[0])
    return figure


def _draw_chance(axes: "Axes", table: "pd.DataFrame", options: Options) -> None:
    chance = table[table["quantity"] == options.chance].groupby("layer")["mean"].mean()
    if len(chance):
        axes.plot(chance.index, chance.to_numpy(), "--", color=NEUTRAL, linewidth=0.9, label="no preference", zorder=0)
