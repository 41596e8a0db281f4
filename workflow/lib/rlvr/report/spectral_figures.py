"""Figures of weight updates: maps over layers and projections, and what the second to fourth papers plot of a pair."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rlvr.plan.outputs import UNITS, Output
from rlvr.report.cells import Scope
from rlvr.report.evidence import InputPaths, read_tables
from rlvr.report.files import write_text
from rlvr.report.looks import FULL_WIDTH_MM, ONE_COLUMN_MM, PROJECTIONS, Label, find_label, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 16  # of the relative index of a singular direction
ANNOTATED_LAYERS = 8  # a map with more layers shows colours only
ONE_PAIR = Label("", "#0072B2", "o", "full", "-")


def heatmap_file(
    output: Output, labels: Mapping[str, Label], _scope: Scope, inputs: InputPaths, csv_path: str
) -> "Figure":
    """File shell of a heatmap figure; what it shows goes to the CSV."""
    from rlvr.tables import SPECTRA

    shown = _shown_runs(output, labels)
    table = heat_table(read_tables(inputs.spectra, SPECTRA), list(shown), output.plot["quantity"])
    write_text(table.to_csv(index=False), csv_path)
    figure, _ = new_figure((FULL_WIDTH_MM[0], _map_height(table)), columns=0)
    draw_heatmap(figure, table, {run_id: label.name for run_id, label in shown.items()}, output.plot["header"])
    return figure


def geometry_file(
    output: Output, labels: Mapping[str, Label], _scope: Scope, inputs: InputPaths, csv_path: str
) -> "Figure":
    """File shell of a geometry figure; what it shows goes to the CSV."""
    from rlvr.tables import DIAGNOSTICS

    table = geometry_table(read_tables(inputs.diagnostics, DIAGNOSTICS))
    write_text(table.to_csv(index=False), csv_path)
    figure, _ = new_figure((FULL_WIDTH_MM[0], 2 * ONE_COLUMN_MM[1]), columns=0)
    draw_geometry(figure, table, _shown_runs(output, labels))
    return figure


def plot_pair(pair: str, spectra: str, diagnostics: str, style: str, map_path: str, geometry_path: str) -> None:
    """Both figures of one pair from anywhere, as PDF.

    Args:
        pair: Its name.
        spectra: ``tables.SPECTRA`` of the pair.
        diagnostics: ``tables.DIAGNOSTICS`` of the pair.
        style: Matplotlib style file.
        map_path: Where the effective rank of every layer and projection goes.
        geometry_path: Where the update against the geometry of its base goes.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    from rlvr.tables import DIAGNOSTICS, SPECTRA

    table = heat_table(read_tables([spectra], SPECTRA), [pair], "effective_rank")
    geometry = geometry_table(read_tables([diagnostics], DIAGNOSTICS))
    with plt.style.context(style):
        heat, _ = new_figure((ONE_COLUMN_MM[0], _map_height(table)), columns=0)
        draw_heatmap(heat, table, {pair: pair}, "Effective rank")
        panels, _ = new_figure((FULL_WIDTH_MM[0], 2 * ONE_COLUMN_MM[1]), columns=0)
        draw_geometry(panels, geometry, {pair: ONE_PAIR})
        for figure, path in ((heat, map_path), (panels, geometry_path)):
            save_figure(figure, path, "pdf", {"Subject": f"pair {pair}", "CreationDate": None})
            plt.close(figure)


def _map_height(table: pd.DataFrame) -> float:
    """Millimetres that the layers of a map need, at most a page."""
    return min(34.0 + 4.0 * max(1, table["layer"].nunique()), 160.0)


def _shown_runs(output: Output, labels: Mapping[str, Label]) -> dict[str, Label]:
    return {curve["run"]: find_label(labels, curve["series"]) for curve in output.plot["curves"]}


def heat_table(spectra: pd.DataFrame, runs: Sequence[str], quantity: str) -> pd.DataFrame:
    """A quantity of every layer and projection of some runs.

    Args:
        spectra: ``tables.SPECTRA``.
        runs: Run ids, in the order of the panels; those without rows are left out.
        quantity: As in the table.

    Returns:
        Columns run_id, layer, projection, value (in percent where the quantity is a ratio); the mean where a layer has
        several such matrices (experts).
    """
    chosen = spectra[(spectra["quantity"] == quantity) & spectra["run_id"].isin(runs)]
    table = chosen.groupby(["run_id", "layer", "projection"], as_index=False)["value"].mean()
    table["value"] *= 100 if UNITS[quantity] == "%" else 1
    return pd.concat([table[table["run_id"] == run_id] for run_id in runs], ignore_index=True)


def geometry_table(diagnostics: pd.DataFrame) -> pd.DataFrame:
    """What the geometry figure plots, from ``tables.DIAGNOSTICS``.

    Returns:
        Columns run_id, quantity, x, mean, std (over modules, n - 1), modules. Quantities: ``mode_density`` (share of
        the update's magnitude in a mode times the number of modes, so that an even spread is 1) and
        ``cumulative_energy``, both over the relative mode index; ``principal`` and ``low`` (overlap ratio over that of
        a random guess) over the layer; ``angle`` (mean of left and right principal angle, degrees) over the index of
        the direction.
    """
    frames = [*_modes(diagnostics), *_overlaps(diagnostics), _angles(diagnostics)]
    values = pd.concat([frame[["run_id", "module", "quantity", "x", "value"]] for frame in frames], ignore_index=True)
    groups = values.groupby(["run_id", "quantity", "x"])["value"]
    return groups.agg(mean="mean", std="std", modules="count").reset_index()


def _modes(diagnostics: pd.DataFrame) -> list[pd.DataFrame]:
    """Both curves over the relative index, in bins: matrices of different size have different numbers of modes."""
    curves = diagnostics[diagnostics["quantity"].isin(["mode_share", "cumulative_energy"])]
    modes = curves[["rows", "cols"]].min(axis=1)
    bins = np.floor((curves["index"] - 0.5) / modes * BINS)
    spread = np.where(curves["quantity"] == "mode_share", curves["value"] * modes, curves["value"])
    place = np.where(curves["quantity"] == "mode_share", bins + 0.5, bins + 1.0)  # middle of the bin, end of the bin
    binned = curves.assign(x=place / BINS, value=spread).replace({"quantity": {"mode_share": "mode_density"}})
    groups = binned.groupby(["run_id", "module", "quantity", "x"])["value"]
    density, energy = groups.mean().reset_index(), groups.max().reset_index()
    return [density[density["quantity"] == "mode_density"], energy[energy["quantity"] == "cumulative_energy"]]


def _overlaps(diagnostics: pd.DataFrame) -> list[pd.DataFrame]:
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


def _angles(diagnostics: pd.DataFrame) -> pd.DataFrame:
    sides = diagnostics[diagnostics["quantity"].isin(["left_angle", "right_angle"])]
    mean = sides.groupby(["run_id", "module", "index"], as_index=False)["value"].mean()
    return mean.assign(quantity="angle", x=mean["index"].astype(float), value=np.degrees(mean["value"]))


def draw_heatmap(figure: "Figure", table: pd.DataFrame, names: Mapping[str, str], header: str) -> None:
    """One map a run on one colour scale; numbers in the cells where the layers are few.

    Args:
        figure: Empty.
        table: As :func:`heat_table` makes it.
        names: Title of every run's panel.
        header: Label of the colour bar with its unit.
    """
    runs = [run_id for run_id in names if run_id in set(table["run_id"])]
    found = set(table["projection"])
    columns = [name for name in PROJECTIONS if name in found] + sorted(found.difference(PROJECTIONS))
    panels = figure.subplots(1, max(1, len(runs)), sharey=True, squeeze=False)[0]
    for axes, run_id in zip(panels, runs, strict=False):
        part = table[table["run_id"] == run_id].pivot(index="layer", columns="projection", values="value")
        _draw_map(axes, part.reindex(columns=columns), float(table["value"].max()))
        axes.set_title(names[run_id], fontsize="medium")
    panels[0].set_ylabel("Layer")
    if runs:
        figure.colorbar(panels[0].images[0], ax=list(panels), label=header)
    else:
        panels[0].set_axis_off()


def _draw_map(axes: "Axes", grid: pd.DataFrame, top: float) -> None:
    values = grid.to_numpy(dtype=float)
    axes.imshow(values, cmap="cividis", vmin=0.0, vmax=top, aspect="auto", origin="lower")
    axes.set_xticks(range(len(grid.columns)), labels=[str(name).removesuffix("_proj") for name in grid], rotation=90)
    shown = range(0, len(grid), -(-len(grid) // ANNOTATED_LAYERS))
    axes.set_yticks(shown, labels=[str(grid.index[place]) for place in shown])
    axes.grid(visible=False)
    if len(grid) <= ANNOTATED_LAYERS:
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                colour = "black" if value > 0.6 * top else "white"
                axes.text(
                    column,
                    row,
                    f"{value:.{0 if value >= 10 else 1}f}",
                    ha="center",
                    va="center",
                    fontsize=5,
                    color=colour,
                )


def draw_geometry(figure: "Figure", table: pd.DataFrame, labels: Mapping[str, Label]) -> None:
    """Four panels: update along the base's directions, its cumulative energy, overlap with masks, rotation.

    Args:
        figure: Empty.
        table: As :func:`geometry_table` makes it.
        labels: Look of every run, by run id; runs without rows are left out.
    """
    (modes, energy), (overlap, rotation) = figure.subplots(2, 2)
    for run_id, label in labels.items():
        part = table[table["run_id"] == run_id].set_index("quantity")
        if part.empty:
            continue
        _line(modes, part, "mode_density", label, name=label.name)
        _line(energy, part, "cumulative_energy", label)
        _line(overlap, part, "principal", label, marker=label.marker)
        _line(overlap, part, "low", label, marker=label.marker, fillstyle="none", linestyle=":")
        _line(rotation, part, "angle", label)
    for axes in (modes, overlap):
        axes.axhline(1.0, color="black", linestyle="--", linewidth=0.8)
    energy.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=0.8)
    relative = "Mode of the base, relative index (0 is the largest)"
    modes.set(xlabel=relative, ylabel="Share of the update / even share", ylim=(0, None))
    energy.set(xlabel=relative, ylabel="Cumulative energy", ylim=(0, 1.02))
    overlap.set(xlabel="Layer", ylabel="Overlap with changed weights / chance")
    overlap.locator_params(axis="x", integer=True)
    rotation.set(xlabel="Leading direction of the base", ylabel="Principal angle (degrees)", ylim=(0, None))
    handles, names = modes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, names, loc="outside lower center", ncols=min(len(names), 6))


def _line(axes: "Axes", part: pd.DataFrame, quantity: str, label: Label, name: str | None = None, **looks: Any) -> None:
    if quantity in part.index:
        curve = part.loc[[quantity]].sort_values("x")
        axes.plot(curve["x"], curve["mean"], **{"linestyle": label.line, "color": label.colour, "label": name, **looks})
