"""Updates of weights against the geometry of their base, as the papers on principal directions look at them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.plan.figure_options import RunsOptions, Series, single_runs
from rlvr.plan.labels import Label
from rlvr.plan.options import option
from rlvr.plan.targets import PROJECTIONS
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
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RELATIVE = "Mode of the base, relative index (0 is the largest)"
BINS = 16  # of the relative index of a singular direction
HEIGHT_MM = 2.2 * ONE_COLUMN_MM[1]
PARTS = ("modes", "energy", "overlap", "rotation")


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure."""

    reads = "diagnostics"

    curves: tuple[Series, ...] = option("one run for each line")
    parts: tuple[str, ...] = option("panels; all by default", default=PARTS, items={"enum": list(PARTS)})
    projections: tuple[str, ...] | None = option(
        "projections that it looks at; all by default", default=None, items={"enum": list(PROJECTIONS)}
    )


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`geometry_table`."""
    from rlvr.tables import DIAGNOSTICS

    diagnostics = read_tables(paths_of(drawing.inputs, "diagnostics"), DIAGNOSTICS)
    wanted = drawing.options.projections
    return geometry_table(diagnostics if wanted is None else diagnostics[diagnostics["projection"].isin(wanted)])


def geometry_table(diagnostics: "pd.DataFrame") -> "pd.DataFrame":
    """Table of the plotted points, from ``tables.DIAGNOSTICS``.

    Returns:
        Columns run_id, quantity, x, mean, std (over modules, n - 1), modules. Quantities: ``mode_density`` (share of
        the update's magnitude in a mode times the number of modes, so that an even spread is 1) and
        ``cumulative_energy``, both over the relative mode index; ``principal`` and ``low`` (overlap ratio over that of
        a random guess) over the layer; ``angle`` (mean of left and right principal angle, degrees) over the index of
        the direction.
    """
    import pandas as pd

    frames = [*_modes(diagnostics), *_overlaps(diagnostics), _angles(diagnostics)]
    values = pd.concat([frame[["run_id", "module", "quantity", "x", "value"]] for frame in frames], ignore_index=True)
    groups = values.groupby(["run_id", "quantity", "x"])["value"]
    return groups.agg(mean="mean", std="std", modules="count").reset_index()


def _modes(diagnostics: "pd.DataFrame") -> "list[pd.DataFrame]":
    """Both curves over the relative index, in bins: matrices of different size have different numbers of modes."""
    import numpy as np

    curves = diagnostics[diagnostics["quantity"].isin(["mode_share", "cumulative_energy"])]
    modes = curves[["rows", "cols"]].min(axis=1)
    bins = np.floor((curves["index"] - 0.5) / modes * BINS)
    spread = np.where(curves["quantity"] == "mode_share", curves["value"] * modes, curves["value"])
    place = np.where(curves["quantity"] == "mode_share", bins + 0.5, bins + 1.0)  # middle of the bin, end of the bin
    binned = curves.assign(x=place / BINS, value=spread).replace({"quantity": {"mode_share": "mode_density"}})
    groups = binned.groupby(["run_id", "module", "quantity", "x"])["value"]
    density, energy = groups.mean().reset_index(), groups.max().reset_index()
    return [density[density["quantity"] == "mode_density"], energy[energy["quantity"] == "cumulative_energy"]]


def _overlaps(diagnostics: "pd.DataFrame") -> "list[pd.DataFrame]":
    """Overlap ratios over their random baseline."""
    keys = ["run_id", "module", "layer"]
    wide = diagnostics[diagnostics["index"] == 0].pivot(index=keys, columns="quantity", values="value").reset_index()
    found = []
    for name in ("principal", "low"):
        if f"overlap_{name}" in wide:
            part = wide.dropna(subset=[f"overlap_{name}"])
            ratio = part[f"overlap_{name}"] / part[f"chance_{name}"]
            found.append(part.assign(quantity=name, x=part["layer"].astype(float), value=ratio))
    return found


def _angles(diagnostics: "pd.DataFrame") -> "pd.DataFrame":
    import numpy as np

    sides = diagnostics[diagnostics["quantity"].isin(["left_angle", "right_angle"])]
    mean = sides.groupby(["run_id", "module", "index"], as_index=False)["value"].mean()
    return mean.assign(quantity="angle", x=mean["index"].astype(float), value=np.degrees(mean["value"]))


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """One panel for each part, see :func:`draw_panels`."""
    parts = drawing.options.parts
    rows = -(-len(parts) // 2)
    figure = new_figure((FULL_WIDTH_MM[0], HEIGHT_MM * rows / 2))
    runs = single_runs(drawing.options.curves)
    draw_panels(figure, table, {run_id: drawing.labels[series] for run_id, series in runs.items()}, parts)
    return figure


def draw_panels(
    figure: "Figure", table: "pd.DataFrame", labels: Mapping[str, Label], parts: Sequence[str] = PARTS
) -> None:
    """Update along the base's directions, its cumulative energy, overlap with masks, rotation.

    Args:
        figure: Empty.
        table: As :func:`geometry_table` makes it.
        labels: Look of every run, by run id; runs without rows are left out.
        parts: Keys of ``DRAWERS``, in the order of the panels.
    """
    places = panels(figure, -(-len(parts) // 2), min(2, len(parts)))
    for axes, part in zip(places, parts, strict=False):
        DRAWERS[part](axes, table, labels)
    for axes in places[len(parts) :]:
        axes.set_axis_off()
    one_legend(figure, next((axes for axes, part in zip(places, parts, strict=False) if part != "overlap"), places[0]))


def _draw_modes(axes: "Axes", table: "pd.DataFrame", labels: Mapping[str, Label]) -> None:
    _draw_curve(axes, table, labels, "mode_density")
    axes.axhline(1.0, color=NEUTRAL, linewidth=0.8, zorder=0)
    axes.set(xlabel=RELATIVE, ylabel="Share / even share", ylim=(0, None))


def _draw_energy(axes: "Axes", table: "pd.DataFrame", labels: Mapping[str, Label]) -> None:
    _draw_curve(axes, table, labels, "cumulative_energy")
    axes.plot([0, 1], [0, 1], color=NEUTRAL, linewidth=0.8, zorder=0)
    axes.set(xlabel=RELATIVE, ylabel="Cumulative energy", ylim=(0, 1.02))


def _draw_rotation(axes: "Axes", table: "pd.DataFrame", labels: Mapping[str, Label]) -> None:
    _draw_curve(axes, table, labels, "angle")
    axes.set(xlabel="Leading direction of the base", ylabel="Principal angle (degrees)", ylim=(0, None))
    integer_ticks(axes)


def _draw_curve(axes: "Axes", table: "pd.DataFrame", labels: Mapping[str, Label], quantity: str) -> None:
    long = table[table["quantity"] == quantity].rename(columns={"run_id": "series"}).drop(columns="std")
    draw_lines(axes, long, list(labels), labels)


def _draw_overlaps(axes: "Axes", table: "pd.DataFrame", labels: Mapping[str, Label]) -> None:
    """Points with one standard deviation over modules, runs beside each other; layers are no continuum, so no lines."""
    shown = [run_id for run_id in labels if run_id in set(table["run_id"])]
    for place, run_id in enumerate(shown):
        label = labels[run_id]
        for quantity, fill in (("principal", "full"), ("low", "none")):
            part = table[(table["run_id"] == run_id) & (table["quantity"] == quantity)]
            shift = 0.14 * (place - (len(shown) - 1) / 2) + (0.04 if fill == "none" else 0.0)
            axes.errorbar(
                part["x"] + shift, part["mean"], yerr=part["std"].fillna(0), fmt=label.marker, color=label.colour,
                fillstyle=fill, elinewidth=0.5, capsize=1, markersize=3.2,
            )  # fmt: skip
    for name, fill in (("principal weights", "full"), ("weights of low magnitude", "none")):
        axes.plot([], [], "o", color=NEUTRAL, fillstyle=fill, markersize=3.2, label=name)
    axes.legend(loc="best")
    axes.axhline(1.0, color=NEUTRAL, linewidth=0.8, zorder=0)
    axes.set(xlabel="Layer", ylabel="Overlap / chance")
    integer_ticks(axes)


DRAWERS: Mapping[str, Callable[["Axes", "pd.DataFrame", Mapping[str, Label]], None]] = {
    "modes": _draw_modes,
    "energy": _draw_energy,
    "overlap": _draw_overlaps,
    "rotation": _draw_rotation,
}
