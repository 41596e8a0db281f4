"""Shared by all figures: sizes, panels with letters, lines and legends that survive a grey print."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.io import atomic_path
from rlvr.plan.labels import Label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rlvr.plan.outputs import Output
    from rlvr.report.cells import ReportScope
    from rlvr.report.evidence import InputPaths

INCH_MM = 25.4
ONE_COLUMN_MM = (84, 60)
FULL_WIDTH_MM = (174, 74)
SMALLEST_PT = 6  # type in figures is not smaller
NEUTRAL = "#8C8C8C"  # of reference lines
BAND_ALPHA = 0.15
MARKERS_PER_LINE = 8
WIDE_INCHES = 5  # from here a legend has room for six entries in a row
DASHES: Mapping[str, Any] = {"-": "", "--": (4, 1.5), ":": (1, 1.2), "-.": (4, 1.2, 1, 1.2)}  # as seaborn wants them
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Drawing:
    """Everything that a kind of figure is given to draw from.

    Attributes:
        output: The figure's declaration.
        options: Its options, an object of the kind's ``Options``.
        labels: Looks of its series.
        scope: Scale and runs of the tier.
        inputs: Files by kind of evidence.
    """

    output: "Output"
    options: Any
    labels: Mapping[str, Label]
    scope: "ReportScope"
    inputs: "InputPaths"


def new_figure(size_mm: tuple[float, float]) -> "Figure":
    """An empty figure of this width and height."""
    from matplotlib import pyplot as plt

    return plt.figure(figsize=tuple(side / INCH_MM for side in size_mm))


def panels(figure: "Figure", rows: int = 1, columns: int = 1, **options: Any) -> "list[Axes]":
    """Panels row by row, with letters where there are several."""
    found = list(figure.subplots(rows, columns, squeeze=False, **options).flat)
    if len(found) > 1:
        for place, axes in enumerate(found):
            axes.set_title(chr(ord("a") + place), loc="left", fontsize="medium", fontweight="bold")
    return found


def draw_lines(
    axes: "Axes", table: "pd.DataFrame", names: Sequence[str], labels: Mapping[str, Label], **options: Any
) -> None:
    """One line and band per series, told apart by colour, dashes and markers.

    Args:
        axes: Where to draw.
        table: Columns series, x, mean, and std for a band of one standard deviation (missing: no band).
        names: Series in the order of the legend; those without rows are left out.
        labels: Their looks.
        options: Passed on to seaborn.
    """
    import seaborn as sns

    shown = [name for name in names if name in set(table["series"])]
    for name in shown:
        part = table[table["series"] == name].sort_values("x")
        sns.lineplot(
            data=part, x="x", y="mean", hue="series", style="series", palette={name: labels[name].colour},
            dashes={name: DASHES.get(str(labels[name].line), labels[name].line)}, legend=False, errorbar=None, ax=axes,
            marker=labels[name].marker, markevery=max(1, len(part) // MARKERS_PER_LINE), markeredgewidth=0.6,
            fillstyle=labels[name].fill, markersize=3.2, markeredgecolor=labels[name].colour,
            **{"label": labels[name].name, **options},
        )  # fmt: skip
        if "std" in part and part["std"].notna().any():
            low, high = part["mean"] - part["std"].fillna(0), part["mean"] + part["std"].fillna(0)
            axes.fill_between(part["x"], low, high, color=labels[name].colour, alpha=BAND_ALPHA, linewidth=0)


def one_legend(figure: "Figure", panel: "Axes", above: bool = False) -> None:
    """The legend of one panel below all of them, or above."""
    handles, names = panel.get_legend_handles_labels()
    own = panel.get_legend()
    if own is not None:
        own.remove()
    if handles:
        unique = dict(zip(names, handles, strict=True))
        columns = max(1, min(len(unique), 6 if figure.get_figwidth() > WIDE_INCHES else 3))
        entries = list(unique.values()), list(unique)
        if above:
            figure.legend(*entries, loc="outside upper center", ncols=columns)
        else:
            figure.legend(*entries, loc="outside lower center", ncols=columns)


def integer_ticks(axes: "Axes", which: str = "x") -> None:
    """Ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    getattr(axes, f"{which}axis").set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def say(axes: "Axes", text: str) -> None:
    """A panel that has nothing to show says why."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, wrap=True)
    axes.set_axis_off()


def ordered_projections(found: Iterable[str]) -> list[str]:
    """Projections in the order of a decoder layer, others behind them."""
    names = set(found)
    return [name for name in PROJECTIONS if name in names] + sorted(names.difference(PROJECTIONS))


def save_figure(figure: "Figure", path: str | Path, kind: str, metadata: Mapping[str, str | None]) -> None:
    """Write one format of a figure, whole or not at all."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=kind, metadata=dict(metadata))
