"""Maps of the share of runs that changed each weight, for some projections of one layer.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", section 2.2, figures 2, 9 and 14.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlvr.plan.figure_options import RunsOptions, Series
from rlvr.plan.options import option
from rlvr.report.evidence import paths_of
from rlvr.report.footprints import Footprint, Module, layer_at, open_footprints, shared_modules
from rlvr.report.looks import (
    FULL_WIDTH_MM,
    ONE_COLUMN_MM,
    SMALLEST_PT,
    Drawing,
    new_figure,
    ordered_projections,
    panels,
    say,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "down_proj")  # SOURCE: those of its figure 2
FINEST = 384  # cells of a drawn map along each side; larger matrices are shown as means over blocks


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure."""

    reads = "footprints"

    curves: tuple[Series, ...] = option("runs that are compared; how they are called does not show")
    depth: float = option("depth of the layer, 0 for the first and 1 for the last", default=0.5, minimum=0, maximum=1)


def table(drawing: Drawing) -> "pd.DataFrame":
    """Columns module, axis (row or column), position, consensus (mean along the other axis), runs (their number)."""
    import pandas as pd

    rows = []
    for module, consensus, count in consensus_maps(drawing):
        for axis, profile in (("row", consensus.mean(axis=1)), ("column", consensus.mean(axis=0))):
            rows.append(
                pd.DataFrame({
                    "module": module.name, "axis": axis, "position": range(1, len(profile) + 1), "consensus": profile,
                    "runs": count,
                })
            )  # fmt: skip
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["module", "axis"])


def consensus_maps(drawing: Drawing) -> Iterator[tuple[Module, Any, int]]:
    """The shown modules, each with the share of the runs that changed its weights (rows, cols), and their number."""
    found = list(open_footprints(paths_of(drawing.inputs, "footprints")).values())
    if len(found) < 2:
        return
    layer = layer_at(found[0], drawing.options.depth)
    for module, consensus in _consensus(found, layer, PROJECTIONS):
        yield module, consensus, len(found)


def _consensus(found: list[Footprint], layer: int, projections: Collection[str]) -> Iterator[tuple[Module, Any]]:
    for module, masks in shared_modules(found):
        if module.layer == layer and module.projection in projections:
            yield module, sum(mask.astype(float) for mask in masks) / len(masks)


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """One map per projection on one scale of colours."""
    maps = {module.projection: (module, consensus) for module, consensus, _ in consensus_maps(drawing)}
    figure = new_figure((FULL_WIDTH_MM[0], ONE_COLUMN_MM[1]))
    places = panels(figure, 1, max(1, len(maps)))
    if not maps:
        say(places[0], "fewer than two of these runs are in the selected tier")
        return figure
    for axes, name in zip(places, ordered_projections(maps), strict=True):
        module, consensus = maps[name]
        image = axes.imshow(
            shrunk(100 * consensus), cmap="cividis", vmin=0, vmax=100, aspect="auto", interpolation="nearest",
            extent=(0, module.cols, module.rows, 0),
        )  # fmt: skip
        axes.set_xlabel(f"Input\n{module.name.removeprefix('model.')}", fontsize=SMALLEST_PT)
        axes.grid(visible=False)
    places[0].set_ylabel("Output")
    figure.colorbar(image, ax=places, label="Runs that changed a weight (%)")
    return figure


def shrunk(matrix: Any, finest: int = FINEST) -> Any:
    """A matrix as means over blocks, at most ``finest`` cells along each side."""
    import numpy as np

    for axis in (0, 1):
        size = matrix.shape[axis]
        if size > finest:
            starts = np.linspace(0, size, finest, endpoint=False).astype(int)
            counts = np.diff(np.append(starts, size))
            sums = np.add.reduceat(matrix, starts, axis=axis)
            matrix = sums / (counts[:, None] if axis == 0 else counts[None, :])
    return matrix
