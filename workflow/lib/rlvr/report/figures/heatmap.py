"""Maps of a spectral quantity over layers and projections, one per run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import RunsOptions, Series, single_runs
from rlvr.plan.options import option
from rlvr.plan.statistics import SPECTRAL, STATISTICS
from rlvr.report.evidence import paths_of, read_tables
from rlvr.report.looks import FULL_WIDTH_MM, SMALLEST_PT, Drawing, new_figure, ordered_projections, panels, say

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ANNOTATED_LAYERS = 8  # a map with more layers shows colours only


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure."""

    reads = "spectra"

    quantity: str = option("spectral statistic that it shows", enum=[each.name for each in SPECTRAL])
    header: str = option("label of the colours with its unit")
    curves: tuple[Series, ...] = option("one run for each map")


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`heat_table`."""
    from rlvr.tables import SPECTRA

    runs = list(single_runs(drawing.options.curves))
    return heat_table(read_tables(paths_of(drawing.inputs, "spectra"), SPECTRA), runs, drawing.options.quantity)


def heat_table(spectra: "pd.DataFrame", runs: Sequence[str], quantity: str) -> "pd.DataFrame":
    """A quantity of every layer and projection of some runs.

    Args:
        spectra: ``tables.SPECTRA``.
        runs: Run ids, in the order of the panels; those without rows are left out.
        quantity: As in the table.

    Returns:
        Columns run_id, layer, projection, value (in the unit of the statistic); the mean where a layer has several such
        matrices (experts).
    """
    import pandas as pd

    chosen = spectra[(spectra["quantity"] == quantity) & spectra["run_id"].isin(runs)]
    found = chosen.groupby(["run_id", "layer", "projection"], as_index=False)["value"].mean()
    found["value"] *= STATISTICS[quantity].factor
    return pd.concat([found[found["run_id"] == run_id] for run_id in runs], ignore_index=True)


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """One map per run on one scale of colours."""
    names = {run_id: drawing.labels[series].name for run_id, series in single_runs(drawing.options.curves).items()}
    figure = new_figure((FULL_WIDTH_MM[0], map_height(table)))
    draw_maps(figure, table, names, drawing.options.header)
    return figure


def map_height(table: "pd.DataFrame") -> float:
    """Millimetres that the layers of a map need, at most a page."""
    return min(36.0 + 4.0 * max(1, table["layer"].nunique()), 160.0)


def draw_maps(figure: "Figure", table: "pd.DataFrame", names: Mapping[str, str], header: str) -> None:
    """Maps side by side; numbers in the cells where the layers are few.

    Args:
        figure: Empty.
        table: As :func:`heat_table` makes it.
        names: Title of every run's panel.
        header: Label of the colour bar with its unit.
    """
    runs = [run_id for run_id in names if run_id in set(table["run_id"])]
    columns = ordered_projections(table["projection"])
    places = panels(figure, 1, max(1, len(runs)), sharey=True)
    for axes, run_id in zip(places, runs, strict=False):
        part = table[table["run_id"] == run_id].pivot(index="layer", columns="projection", values="value")
        _draw_map(axes, part.reindex(columns=columns), float(table["value"].max()))
        axes.set(title=names[run_id], xlabel="", ylabel="")
        axes.title.set_fontsize("medium")
    if runs:
        places[0].set_ylabel("Layer")
        figure.colorbar(places[0].collections[0], ax=places, label=plot_text(header))
    else:
        say(places[0], "none of these runs is in the selected tier")


def _draw_map(axes: "Axes", grid: "pd.DataFrame", top: float) -> None:
    import seaborn as sns

    few = len(grid) <= ANNOTATED_LAYERS
    texts = grid.map(lambda value: f"{value:.{0 if value >= 10 else 1}f}") if few else False
    names = [str(name).removesuffix("_proj") for name in grid]
    sns.heatmap(
        grid, ax=axes, cmap="cividis", vmin=0.0, vmax=top, annot=texts, fmt="", annot_kws={"fontsize": SMALLEST_PT},
        cbar=False, xticklabels=names, yticklabels=max(1, -(-len(grid) // ANNOTATED_LAYERS)),
    )  # fmt: skip
    axes.invert_yaxis()
    axes.tick_params(length=2, axis="both")
    axes.tick_params(axis="x", rotation=90)
    axes.tick_params(axis="y", rotation=0)
