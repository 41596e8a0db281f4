"""Share of changed weights along the rows or columns of a matrix, at several steps of a run.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", section 2.2, figures 3 and 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlvr.plan.figure_options import RunsOptions, Series, single_runs
from rlvr.plan.options import option
from rlvr.plan.targets import PROJECTIONS
from rlvr.report.evidence import paths_of, read_tables
from rlvr.report.figures._lines import COLUMNS
from rlvr.report.figures.curve import running_mean
from rlvr.report.looks import FULL_WIDTH_MM, ONE_COLUMN_MM, Drawing, new_figure, one_legend, panels, say

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

AXES = ("row", "column")


@dataclass(frozen=True)
class Panel:
    """One matrix seen along one axis."""

    projection: str = option("last part of the name of the matrix, e.g. q_proj", enum=list(PROJECTIONS))
    axis: str = option("row: share of each row that changed; column: of each column", enum=list(AXES))

    @property
    def line(self) -> str:
        """Name of the line that says how far its steps agree."""
        return f"{self.projection.removesuffix('_proj')}-{self.axis}"


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure; its lines, ``q-row`` and the like, are correlations of each step with the last one."""

    reads = "diagnostics"

    panels: tuple[Panel, ...] = option("panels, side by side")
    curves: tuple[Series, ...] = option("one kept step of a run each, in their order")
    depth: float = option("depth of the layer, 0 for the first and 1 for the last", default=0.5, minimum=0, maximum=1)
    window: int = option("rows or columns of the running mean", default=3, minimum=1, maximum=1000)

    def lines(self) -> list[str]:
        """One line per panel."""
        return [panel.line for panel in self.panels]


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`profile_table`."""
    from rlvr.tables import DIAGNOSTICS

    diagnostics = read_tables(paths_of(drawing.inputs, "diagnostics"), DIAGNOSTICS)
    return profile_table(diagnostics, list(single_runs(drawing.options.curves)), drawing.options)


def profile_table(diagnostics: "pd.DataFrame", steps: Sequence[str], options: Options) -> "pd.DataFrame":
    """Profiles of one layer, and how far those of all steps agree.

    Args:
        diagnostics: ``tables.DIAGNOSTICS``.
        steps: Ids of the kept steps, in their order.
        options: Of the figure.

    Returns:
        ``_lines.COLUMNS`` and line, run_id, position, share, smooth. Rows of a profile have no series; rows of a line
        have as index the number of the step, and as mean the correlation (Pearson) of its profile with the last one.
    """
    import pandas as pd

    shown = diagnostics[diagnostics["quantity"].isin([f"{axis}_ratio" for axis in AXES])]
    layers = sorted(layer for layer in shown["layer"].unique() if layer >= 0)
    parts: list[pd.DataFrame] = []
    if layers:
        shown = shown[shown["layer"] == layers[round(options.depth * (len(layers) - 1))]]
    for panel in options.panels:
        profiles = {run_id: _profile(shown, run_id, panel) for run_id in steps if (shown["run_id"] == run_id).any()}
        for run_id, profile in profiles.items():
            facts = {"line": panel.line, "run_id": run_id, "position": profile.index, "share": profile.to_numpy()}
            parts.append(pd.DataFrame({**facts, "smooth": running_mean(profile, options.window).to_numpy()}))
        parts.append(_alignments(panel, profiles))
    columns = [*COLUMNS, "line", "run_id", "position", "share", "smooth"]
    filled = [part for part in parts if len(part)]
    return (pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()).reindex(columns=columns)


def _profile(shown: "pd.DataFrame", run_id: str, panel: Panel) -> "pd.Series[float]":
    """Share of changed weights by position; a mean where the layer has several such matrices."""
    part = shown[(shown["run_id"] == run_id) & (shown["projection"] == panel.projection)]
    return part[part["quantity"] == f"{panel.axis}_ratio"].groupby("index")["value"].mean()


def _alignments(panel: Panel, profiles: dict[str, Any]) -> "pd.DataFrame":
    import numpy as np
    import pandas as pd

    names, rows = list(profiles), []
    for number, run_id in enumerate(names[:-1], start=1):
        one, last = (np.asarray(profiles[name], dtype=float) for name in (run_id, names[-1]))
        varies = len(one) == len(last) and one.std() > 0 and last.std() > 0
        value = float(np.corrcoef(one, last)[0, 1]) if varies else 0.0
        rows.append({"series": panel.line, "index": number, "mean": value, "runs": f"{run_id} {names[-1]}"})
    return pd.DataFrame(rows, columns=[*COLUMNS])


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """One line per step, smoothed."""
    options: Options = drawing.options
    figure = new_figure((FULL_WIDTH_MM[0], ONE_COLUMN_MM[1]))
    places = panels(figure, 1, len(options.panels))
    looks = {run_id: drawing.labels[series] for run_id, series in single_runs(options.curves).items()}
    for axes, panel in zip(places, options.panels, strict=True):
        part = table[table["line"] == panel.line]
        if part.empty:
            say(axes, "none of these steps is in the selected tier")
            continue
        for run_id, look in looks.items():
            run = part[part["run_id"] == run_id].sort_values("position")
            if len(run):
                smooth = 100 * run["smooth"].astype(float)
                axes.plot(run["position"], smooth, look.line, color=look.colour, linewidth=1.0, label=look.name)
        where = "Output" if panel.axis == "row" else "Input"
        axes.set(
            xlabel=f"{where} of {panel.projection}", ylabel=f"Changed weights of its {panel.axis} (%)", ylim=(0, None)
        )
    one_legend(figure, places[0])
    return figure
