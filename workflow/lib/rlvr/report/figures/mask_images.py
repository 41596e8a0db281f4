"""Images of the weights that a run changed beside the principal weights of the same matrix.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", figure 18.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.options import option
from rlvr.plan.targets import PROJECTIONS
from rlvr.report.evidence import paths_of
from rlvr.report.figures.consensus import shrunk
from rlvr.report.footprints import Footprint, Mask, Module, layer_at, open_footprints, overlap
from rlvr.report.looks import FULL_WIDTH_MM, SMALLEST_PT, Drawing, new_figure, panels, say

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_MM = 38.0


@dataclass(frozen=True)
class Shown:
    """One matrix of one run."""

    name: str = option("what stands beside it")
    runs: tuple[str, ...] = option("run ids; written as `where`, a condition that one run or pair meets", maxItems=1)
    depth: float = option("depth of the layer, 0 for the first and 1 for the last", minimum=0, maximum=1)
    projection: str = option("last part of the name of the matrix, e.g. o_proj", enum=list(PROJECTIONS))


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    shown: tuple[Shown, ...] = option("matrices, row by row")

    def evidence(self) -> Mapping[str, Sequence[str]]:
        """Footprints of the runs."""
        return {"footprints": list(dict.fromkeys(run_id for each in self.shown for run_id in each.runs))}


def found_modules(drawing: Drawing) -> Iterator[tuple[Shown, Footprint | None, Module | None]]:
    """Every entry of the figure with its footprint and module; ``None`` for what is not there."""
    known = open_footprints(paths_of(drawing.inputs, "footprints"))
    for each in drawing.options.shown:
        footprint = known.get(each.runs[0])
        layer = None if footprint is None else layer_at(footprint, each.depth)
        modules = () if footprint is None else footprint.modules
        chosen = [one for one in modules if one.layer == layer and one.projection == each.projection]
        yield each, footprint, chosen[0] if chosen else None


def table(drawing: Drawing) -> "pd.DataFrame":
    """Columns name, run_id, module, changed (share of the weights), principal, overlap and chance, in percent."""
    import pandas as pd

    rows = []
    for each, footprint, module in found_modules(drawing):
        if footprint is None or module is None:
            continue
        update, principal = footprint.update(module), footprint.principal(module)
        facts: dict[str, Any] = {"name": each.name, "run_id": footprint.run_id, "module": module.name}
        facts["changed"] = 100 * update.mean()
        if principal is not None:
            facts |= {"overlap": 100 * overlap(principal, update), "chance": 100 * principal.mean()}
        rows.append(facts)
    return pd.DataFrame(rows, columns=["name", "run_id", "module", "changed", "overlap", "chance"])


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Left the changed weights, right the principal ones; dark is yes. Large matrices are shown as shares of blocks."""
    shown = list(found_modules(drawing))
    figure = new_figure((FULL_WIDTH_MM[0], 8 + ROW_MM * len(shown)))
    places = panels(figure, len(shown), 2)
    for number, (each, footprint, module) in enumerate(shown):
        left, right = places[2 * number], places[2 * number + 1]
        left.set_ylabel(plot_text(each.name), fontsize=SMALLEST_PT)
        if footprint is None or module is None:
            say(left, f"{plot_text(each.name)}: not run")
            right.set_axis_off()
            continue
        _draw_mask(left, footprint.update(module), f"{module.name.removeprefix('model.')}: changed")
        _draw_mask(right, footprint.principal(module), f"{module.name.removeprefix('model.')}: principal")
    return figure


def _draw_mask(axes: "Axes", mask: "Mask | None", words: str) -> None:
    if mask is None:
        say(axes, "its layer is not decomposed")
        return
    axes.imshow(shrunk(mask.astype(float)), cmap="Greys", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel(words, fontsize=SMALLEST_PT)
