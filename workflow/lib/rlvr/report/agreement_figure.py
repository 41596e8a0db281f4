"""Where the runs from one base change the same weights: consensus maps, and Jaccard indices against chance.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", figures 2 and 8, table 2.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rlvr.report.evidence import read_tables
from rlvr.report.looks import FULL_WIDTH_MM, ONE_COLUMN_MM, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = ("q_proj", "k_proj", "v_proj", "o_proj", "down_proj")  # SOURCE: the projections of its figure 2


def jaccard_table(agreement: pd.DataFrame) -> pd.DataFrame:
    """Mean over pairs of runs and over a layer's modules.

    Args:
        agreement: ``tables.AGREEMENT``.

    Returns:
        Columns layer, jaccard, independent_jaccard.
    """
    pairs = agreement[agreement["quantity"].isin(["jaccard", "independent_jaccard"])]
    wide = pairs.pivot_table(index="layer", columns="quantity", values="value", aggfunc="mean")
    return wide.reset_index()[["layer", "jaccard", "independent_jaccard"]]


def shown_modules(agreement: pd.DataFrame, maps: Mapping[str, NDArray[np.uint8]]) -> list[str]:
    """The modules of the middle one of those layers that have maps, in the order of the paper's figure."""
    kept = agreement[agreement["module"].isin(list(maps)) & agreement["projection"].isin(SHOWN)]
    modules = kept[["layer", "projection", "module"]].drop_duplicates()
    layers = sorted(modules["layer"].unique())
    middle = modules[modules["layer"] == layers[len(layers) // 2]] if layers else modules
    return sorted(middle["module"], key=lambda name: SHOWN.index(name.rpartition(".")[2]))


def plot_agreement(table_path: str, consensus_path: str, style: str, out_path: str) -> None:
    """Draw both as one PDF.

    Args:
        table_path: ``tables.AGREEMENT`` of one base.
        consensus_path: NumPy archive of its consensus maps, in percent of the runs.
        style: Matplotlib style file.
        out_path: PDF file.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    from rlvr.tables import AGREEMENT

    agreement = read_tables([table_path], AGREEMENT)
    with np.load(consensus_path) as maps, plt.style.context(style):
        figure, _ = new_figure((FULL_WIDTH_MM[0], 2 * ONE_COLUMN_MM[1]), columns=0)
        upper, lower = figure.subfigures(2, 1, squeeze=False)[:, 0]
        _draw_maps(upper, {name: maps[name] for name in shown_modules(agreement, maps)})
        _draw_jaccard(lower.subplots(), jaccard_table(agreement))
        save_figure(figure, out_path, "pdf", {"CreationDate": None})
        plt.close(figure)


def _draw_maps(figure: "Figure", maps: Mapping[str, NDArray[np.uint8]]) -> None:
    panels = figure.subplots(1, max(1, len(maps)), squeeze=False)[0]
    for axes, (module, consensus) in zip(panels, maps.items(), strict=False):
        image = axes.imshow(consensus, cmap="cividis", vmin=0, vmax=100, aspect="auto")
        axes.set(xlabel="Input", title=module.removeprefix("model."))
        axes.title.set_fontsize(5)
        axes.grid(visible=False)
    panels[0].set_ylabel("Output")
    if maps:
        figure.colorbar(image, ax=list(panels), label="Runs that changed a weight (%)")


def _draw_jaccard(axes: "Axes", table: pd.DataFrame) -> None:
    axes.plot(table["layer"], table["jaccard"], "o-", color="#0072B2", label="runs")
    axes.plot(table["layer"], table["independent_jaccard"], "_--", color="black", label="independent masks")
    edges = (table["layer"].min() - 0.5, table["layer"].max() + 0.5)
    axes.set(xlabel="Layer", ylabel="Mean Jaccard index", xlim=edges, ylim=(0, 1.02))
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)  # a single layer, too, stands at a whole number
    axes.legend()
