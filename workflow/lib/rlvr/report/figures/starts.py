"""Effective rank of DoRA from PEFT's start on a bfloat16 base and from an exact one, over learning rates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.options import option
from rlvr.plan.starts import SHAPE, parse_shape
from rlvr.report.evidence import read_tables
from rlvr.report.looks import (
    FULL_WIDTH_MM,
    NEUTRAL,
    ONE_COLUMN_MM,
    Drawing,
    draw_lines,
    new_figure,
    one_legend,
    panels,
    say,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STARTS = ("rounded", "exact", "stored")
UNTRAINED = "untrained"
ROUND = 1e-9  # of a logarithm
LEFT = 10**-0.75  # place of the untrained module, relative to the smallest rate


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    shapes: tuple[str, ...] = option(
        "weights, one panel each, such as 1024x4096; those of another tier are left out", items={"pattern": SHAPE}
    )
    rate: float = option("learning rate at which the explained share is written", exclusiveMinimum=0, maximum=1)
    low: float = option("the smaller printed effective rank", exclusiveMinimum=0)
    high: float = option("the larger printed effective rank", exclusiveMinimum=0)

    def evidence(self) -> Mapping[str, Sequence[str]]:
        """Measured starts of each shape."""
        return {"starts": self.shapes}

    def mistake(self) -> str:
        """Printed ranks in the wrong order."""
        return "" if self.low < self.high else f"'low', {self.low:g}, is not below 'high', {self.high:g}."

    def series(self) -> Sequence[str]:
        """One line per start."""
        return [f"start-{start}" for start in STARTS]


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`explained`."""
    from rlvr.tables import STARTS as SCHEMA

    options: Options = drawing.options
    return explained(read_tables(drawing.inputs.get("starts", ()), SCHEMA), options)


def explained(starts: "pd.DataFrame", options: Options) -> "pd.DataFrame":
    """The measured starts, with the share of the printed gap that the rounding of the start makes.

    Args:
        starts: ``tables.STARTS``.
        options: Shapes and printed ranks.

    Returns:
        Columns shape, start, rate, effective_rank, relative_norm, bound (smaller side of the weight) and gap_share:
        (rounded - exact) / (high - low) in the rows of the rounded start. Missing in a weight whose rank cannot reach
        the larger printed one.
    """
    import pandas as pd

    ordered = starts.assign(
        shape=pd.Categorical(starts["shape"], [each for each in options.shapes if each in set(starts["shape"])]),
        start=pd.Categorical(starts["start"], STARTS),
        bound=[min(parse_shape(shape)) for shape in starts["shape"]],
    ).sort_values(["shape", "start", "rate"], ignore_index=True)
    found = ordered.astype({"shape": str, "start": str})
    exact = found[found["start"] == "exact"].set_index(["shape", "rate"])["effective_rank"]
    below = [exact[shape, rate] for shape, rate in zip(found["shape"], found["rate"], strict=True)]
    share = (found["effective_rank"] - below) / (options.high - options.low)
    return found.assign(gap_share=share.where((found["start"] == "rounded") & (found["bound"] >= options.high)))


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """One panel per shape: effective rank against the rate, both logarithmic; grey: the printed ranks."""
    options: Options = drawing.options
    shapes = [shape for shape in options.shapes if shape in set(table["shape"])]
    figure = new_figure(ONE_COLUMN_MM if len(shapes) < 2 else FULL_WIDTH_MM)
    places = panels(figure, 1, max(1, len(shapes)))
    if not shapes:
        say(places[0], "no start was measured in this tier")
    for axes, shape in zip(places, shapes, strict=False):
        _draw_shape(axes, table[table["shape"] == shape], shape, drawing)
    if shapes:
        one_legend(figure, places[0])
    return figure


def _draw_shape(axes: "Axes", part: "pd.DataFrame", shape: str, drawing: Drawing) -> None:
    options: Options = drawing.options
    smallest = part.loc[part["rate"] > 0, "rate"].min()
    shown = part.assign(
        series="start-" + part["start"],
        x=part["rate"].where(part["rate"] > 0, smallest * LEFT),
        mean=part["effective_rank"].where(part["effective_rank"] > 0),  # an exact start that did not move has no rank
    )
    draw_lines(axes, shown.dropna(subset="mean"), list(options.series()), drawing.labels)
    axes.set(xscale="log", yscale="log", xlabel="Learning rate", ylabel="Effective rank of the update")
    powers = range(math.ceil(math.log10(smallest) - ROUND), math.floor(math.log10(part["rate"].max()) + ROUND) + 1)
    ticks = {smallest * LEFT: UNTRAINED} | {10.0**power: f"$10^{{{power}}}$" for power in powers}
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.minorticks_off()
    axes.set_title(shape.replace("x", " \u00d7 "), fontsize="medium")
    axes.set_ylim(1, 2 * min(parse_shape(shape)))
    share = part.loc[(part["rate"] == options.rate) & (part["start"] == "rounded"), "gap_share"].dropna()
    if len(share):
        for rank in (options.low, options.high):
            axes.axhline(rank, color=NEUTRAL, linestyle="--", linewidth=0.8)
        text = f"at {options.rate:g}: {100 * share.iloc[0]:.0f} % of the printed gap"
        axes.annotate(text, (0.03, 0.5), xycoords="axes fraction", fontsize="small")  # between the two starts
