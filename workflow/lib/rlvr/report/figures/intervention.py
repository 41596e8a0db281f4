"""Overlap of the weights that two runs change, by layer, where the base of one of them was rotated or permuted.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", section 4.3 and figure 6.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.io import read_json
from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.options import option
from rlvr.plan.targets import PROJECTIONS
from rlvr.report.evidence import paths_of
from rlvr.report.figures._lines import summarised
from rlvr.report.footprints import Footprint, open_footprints, overlap, shared_modules
from rlvr.report.looks import NEUTRAL, ONE_COLUMN_MM, Drawing, integer_ticks, new_figure, one_legend, panels, say

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PARTS = ("touched", "untouched")
CHANCE = "chance"


@dataclass(frozen=True)
class Changed:
    """Runs that are compared with the reference."""

    series: str = option("key of labels.csv")
    model: str = option("base of these runs, which says what layers were changed")
    runs: tuple[str, ...] = option("run ids; written as `where`, a condition on the grid")


@dataclass(frozen=True)
class Reference:
    """Runs from the unchanged base; each is compared with the runs of every series that have another seed."""

    runs: tuple[str, ...] = option("run ids; written as `where`, a condition on the grid")


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure; its lines are named ``<series>-<touched or untouched>``, and so ``...-chance``."""

    reference: tuple[Reference, ...] = option("runs from the unchanged base", maxItems=1)
    curves: tuple[Changed, ...] = option("runs of each series")
    projections: tuple[str, ...] = option(
        "last parts of the names of the compared matrices", items={"enum": list(PROJECTIONS)}
    )

    def evidence(self) -> Mapping[str, Sequence[str]]:
        """Footprints of all runs, and the manifests of their bases."""
        runs = [*self.reference[0].runs, *(run_id for curve in self.curves for run_id in curve.runs)]
        return {"footprints": list(dict.fromkeys(runs)), "models": [curve.model for curve in self.curves]}

    def series(self) -> Sequence[str]:
        """One look per series."""
        return [curve.series for curve in self.curves]

    def lines(self) -> list[str]:
        """Both kinds of layers of every series, each with its chance."""
        names = [f"{curve.series}-{part}" for curve in self.curves for part in PARTS]
        return [*names, *(f"{name}-{CHANCE}" for name in names)]


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`intervention_table`."""
    options: Options = drawing.options
    changed = {Path(path).parent.name: changed_layers(read_json(path)) for path in drawing.inputs.get("models", ())}
    found = open_footprints(paths_of(drawing.inputs, "footprints"))
    return intervention_table(options, found, changed)


def changed_layers(model: Mapping[str, Any]) -> frozenset[int]:
    """Layers that were rotated or permuted, by a base's ``model.json``; none of a base as it was."""
    return frozenset([*model.get("rotated_layers", ()), *model.get("permuted_layers", ())])


def intervention_table(
    options: Options, footprints: Mapping[str, Footprint], changed: Mapping[str, Collection[int]]
) -> "pd.DataFrame":
    """Share of the weights that a run changes which the reference changes, too, in percent.

    A random mask as dense as that of the reference has its density. A run is not compared with a reference of the same
    seed: the order of the problems and the draws of both would be the same at the start.

    Args:
        options: Of the figure.
        footprints: By run.
        changed: Layers that were changed, by base.

    Returns:
        ``_lines.COLUMNS``; index is the layer, mean and standard deviation are over its matrices and the pairs of runs.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for curve in options.curves:
        layers = changed.get(curve.model, frozenset())
        for reference in options.reference[0].runs:
            for run_id in curve.runs:
                if same_seed(run_id, reference) or not {run_id, reference} <= footprints.keys():
                    continue
                pair = [footprints[reference], footprints[run_id]]
                for module, (first, second) in shared_modules(pair):
                    if module.projection in options.projections:
                        line = f"{curve.series}-{PARTS[0] if module.layer in layers else PARTS[1]}"
                        values = {line: overlap(first, second), f"{line}-{CHANCE}": first.mean()}
                        rows += [
                            {"series": name, "index": module.layer, "value": 100 * float(value), "run_id": each}
                            for name, value in values.items()
                            for each in (reference, run_id)
                        ]
    return summarised(pd.DataFrame(rows, columns=["series", "index", "value", "run_id"]))


def same_seed(one: str, other: str) -> bool:
    """Whether two run ids name one seed (``..._s42``)."""
    seeds = [{part for part in name.split("_") if part[:1] == "s" and part[1:].isdigit()} for name in (one, other)]
    return bool(seeds[0]) and seeds[0] == seeds[1]


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Open and large where the layer was changed; grey dashes: a random mask."""
    figure = new_figure((1.25 * ONE_COLUMN_MM[0], 1.1 * ONE_COLUMN_MM[1]))
    (axes,) = panels(figure)
    keys = list(drawing.options.series())
    if table.empty:
        say(axes, "none of these runs is in the selected tier")
        return figure
    for place, key in enumerate(keys):
        look = drawing.labels[key]
        both = table[table["series"].isin([f"{key}-{part}" for part in PARTS])].sort_values("index")
        shift = 0.08 * (place - (len(keys) - 1) / 2)
        axes.plot(both["index"] + shift, both["mean"], color=look.colour, linewidth=0.7, linestyle=look.line)
        for part, size, fill in ((PARTS[0], 6.5, "none"), (PARTS[1], 3.5, "full")):
            points = table[table["series"] == f"{key}-{part}"]
            if len(points):
                axes.errorbar(
                    points["index"] + shift, points["mean"], yerr=points["std"].fillna(0), fmt=look.marker,
                    color=look.colour, fillstyle=fill, markersize=size, elinewidth=0.6, capsize=1.5,
                )  # fmt: skip
        axes.plot([], [], look.marker, color=look.colour, linestyle=look.line, label=look.name)
    chance = table[table["series"].str.endswith(CHANCE)].groupby("index")["mean"].mean()
    axes.plot(chance.index, chance.to_numpy(), "--", color=NEUTRAL, linewidth=0.9, label="random mask", zorder=0)
    axes.set(xlabel="Layer", ylabel="Changed weights that the\nreference changes, too (%)")
    integer_ticks(axes)
    one_legend(figure, axes)
    return figure
