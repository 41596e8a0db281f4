"""How far changed weights gather in whole rows or in whole columns of their matrices, by layer.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", section 2.2: rows in queries, keys and values,
columns in outputs of attention. ASSUME: the paper shows stripes and has no number for them; this one is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.plan.figure_options import RunsOptions, Series
from rlvr.plan.options import option
from rlvr.report.evidence import paths_of, read_tables
from rlvr.report.figures._lines import drawn, summarised
from rlvr.report.looks import (
    FULL_WIDTH_MM,
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

GROUPS: Mapping[str, tuple[str, ...]] = {"qkv": ("q_proj", "k_proj", "v_proj"), "o": ("o_proj",)}
AXES = ("rows", "columns")
WORDS = {"qkv": "queries, keys, values", "o": "output of attention"}


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure; its lines are named ``<series>-<qkv or o>-<rows or columns>``."""

    reads = "diagnostics"

    curves: tuple[Series, ...] = option("runs of each series; several are averaged")

    def lines(self) -> list[str]:
        """Rows and columns of both groups of projections, for every series."""
        return [f"{curve.series}-{group}-{axis}" for curve in self.curves for group in GROUPS for axis in AXES]


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`stripe_table`."""
    from rlvr.tables import DIAGNOSTICS

    return stripe_table(read_tables(paths_of(drawing.inputs, "diagnostics"), DIAGNOSTICS), drawing.options.series_of())


def stripe_table(diagnostics: "pd.DataFrame", series: Mapping[str, str]) -> "pd.DataFrame":
    """Contrast of rows and of columns: the spread of their densities beyond that of independent weights, over the mean.

    A matrix (m, n) whose weights change independently with probability p has rows whose densities have the variance
    ``p (1 - p) / n``, columns ``p (1 - p) / m``. The contrast is ``sqrt(max(0, variance - that)) / p``: 0 for scattered
    changes, and 1 where rows are half full and half empty in a pattern that the mean does not show.

    Args:
        diagnostics: ``tables.DIAGNOSTICS``.
        series: Series of every run.

    Returns:
        ``_lines.COLUMNS``; index is the layer.
    """
    import pandas as pd

    parts = []
    for axis, quantity, other in (("rows", "row_ratio", "cols"), ("columns", "column_ratio", "rows")):
        shown = diagnostics[(diagnostics["quantity"] == quantity) & diagnostics["run_id"].isin(list(series))]
        keys = ["run_id", "module", "layer", "projection", other]
        found = shown.groupby(keys)["value"].agg(mean="mean", variance=lambda values: values.var(ddof=0)).reset_index()
        chance = found["mean"] * (1 - found["mean"]) / found[other]
        contrast = (found["variance"] - chance).clip(lower=0) ** 0.5 / found["mean"].where(found["mean"] > 0)
        for group, projections in GROUPS.items():
            chosen = found["projection"].isin(projections)
            names = found["run_id"].map(series).astype(str) + f"-{group}-{axis}"
            parts.append(found.assign(series=names, index=found["layer"], value=contrast)[chosen])
    return summarised(pd.concat(parts, ignore_index=True).dropna(subset=["value"]))


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Rows and columns side by side, one panel for each group of projections."""
    figure = new_figure((FULL_WIDTH_MM[0], ONE_COLUMN_MM[1]))
    places = panels(figure, 1, 2 * len(GROUPS), sharey=True)
    spots = [(group, axis) for group in GROUPS for axis in AXES]
    for axes, (group, axis) in zip(places, spots, strict=True):
        _draw_panel(axes, table, f"{group}-{axis}", drawing)
        axes.set(xlabel=f"Layer\n({axis}; {WORDS[group]})", ylabel="", ylim=(0, None))
        integer_ticks(axes)
    places[0].set_ylabel("Contrast of densities")
    one_legend(figure, places[0])
    return figure


def _draw_panel(axes: "Axes", table: "pd.DataFrame", ending: str, drawing: Drawing) -> None:
    keys = list(drawing.options.series())
    lines = drawn(table, {f"{key}-{ending}": key for key in keys})
    if lines.empty:
        say(axes, "none of these runs is in the selected tier")
        return
    draw_lines(axes, lines, keys, drawing.labels)
