"""Do runs change the same weights? Jaccard indices of every two runs, and by layer beside independent masks.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", section 2.2, table 2 and figure 8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from rlvr.plan.figure_options import RunsOptions, Series, single_runs
from rlvr.plan.labels import Label
from rlvr.plan.options import option
from rlvr.report.evidence import paths_of
from rlvr.report.figures._lines import COLUMNS, drawn, summarised
from rlvr.report.footprints import Footprint, independent_jaccard, jaccard, open_footprints, shared_modules
from rlvr.report.looks import (
    FULL_WIDTH_MM,
    ONE_COLUMN_MM,
    SMALLEST_PT,
    Drawing,
    draw_lines,
    integer_ticks,
    new_figure,
    panels,
    say,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = {
    "jaccard": Label("runs", "#0072B2", "o", "full", "-"),
    "independent": Label("independent masks", "#000000", "s", "none", "--"),
}
LIGHT = 0.6  # from here on the colours of the map are light


@dataclass(frozen=True)
class Options(RunsOptions):
    """Options of the figure; its lines are ``jaccard`` and ``independent``, over layers."""

    reads = "footprints"

    curves: tuple[Series, ...] = option("one run for each row of the matrix")

    def lines(self) -> list[str]:
        """Both lines."""
        return list(LINES)


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`jaccard_table`."""
    found = open_footprints(paths_of(drawing.inputs, "footprints"))
    series = single_runs(drawing.options.curves)
    return jaccard_table({series[run_id]: found[run_id] for run_id in series if run_id in found})


def jaccard_table(footprints: Mapping[str, Footprint]) -> "pd.DataFrame":
    """Indices of every two runs over all their weights, and their mean by layer.

    Args:
        footprints: By series; fewer than two have nothing to compare.

    Returns:
        ``_lines.COLUMNS`` with first and second (series of a pair, otherwise empty) and independent (the index of
        independent masks of the same densities, of a pair). A pair has an empty series and no index.
    """
    import pandas as pd

    names = list(footprints)
    rows: list[dict[str, Any]] = []
    counts = {pair: [0, 0] for pair in combinations(names, 2)}
    sizes, changed = 0, dict.fromkeys(names, 0)
    for module, masks in shared_modules([footprints[name] for name in names]):
        by_name = dict(zip(names, masks, strict=True))
        sizes += module.rows * module.cols
        for name, mask in by_name.items():
            changed[name] += int(mask.sum())
        for one, other in counts:
            first, second = by_name[one], by_name[other]
            counts[one, other][0] += int((first & second).sum())
            counts[one, other][1] += int((first | second).sum())
            found = {"jaccard": jaccard(first, second), "independent": independent_jaccard(first.mean(), second.mean())}
            runs = [footprints[one].run_id, footprints[other].run_id]
            rows += [
                {"series": line, "index": module.layer, "value": value, "run_id": run_id}
                for line, value in found.items()
                for run_id in runs
            ]
    lines = summarised(pd.DataFrame(rows, columns=["series", "index", "value", "run_id"]))
    pairs = pd.DataFrame(
        [
            {
                "series": "", "first": one, "second": other, "mean": both / either if either else 0.0,
                "independent": independent_jaccard(changed[one] / sizes, changed[other] / sizes),
                "runs": f"{footprints[one].run_id} {footprints[other].run_id}",
            }
            for (one, other), (both, either) in counts.items() if sizes
        ],
        columns=[*COLUMNS, "first", "second", "independent"],
    )  # fmt: skip
    filled = [frame for frame in (lines, pairs) if len(frame)]
    columns = [*COLUMNS, "first", "second", "independent"]
    return pd.concat(filled, ignore_index=True).reindex(columns=columns) if filled else pairs


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """The matrix, and lines over layers."""
    figure = new_figure((FULL_WIDTH_MM[0], 1.15 * ONE_COLUMN_MM[1]))
    matrix, lines = panels(figure, 1, 2)
    _draw_matrix(matrix, table, drawing)
    draw_lines(lines, drawn(table, {name: name for name in LINES}), list(LINES), LINES)
    lines.set(xlabel="Layer", ylabel="Mean Jaccard index", ylim=(0, 1.02))
    integer_ticks(lines)
    if lines.has_data():
        lines.legend()
    return figure


def _draw_matrix(axes: "Axes", table: "pd.DataFrame", drawing: Drawing) -> None:
    import numpy as np

    pairs = table[table["first"].notna()]
    keys = [key for key in drawing.options.series() if key in {*pairs["first"], *pairs["second"]}]
    if not keys:
        say(axes, "fewer than two of these runs are in the selected tier")
        return
    values = np.eye(len(keys))
    for row in pairs.to_dict("records"):
        one, other = keys.index(str(row["first"])), keys.index(str(row["second"]))
        values[one, other] = values[other, one] = row["mean"]
        for x, y in ((one, other), (other, one)):
            colour = "white" if row["mean"] < LIGHT else "black"
            text = f"{row['mean']:.2f}\n({row['independent']:.2f})"
            axes.text(x, y, text, ha="center", va="center", fontsize=SMALLEST_PT, color=colour)
    image = axes.imshow(values, cmap="cividis", vmin=0, vmax=1)
    names = [drawing.labels[key].name for key in keys]
    axes.set_xticks(range(len(keys)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(keys)), names)
    axes.grid(visible=False)
    axes.figure.colorbar(image, ax=axes, label="Jaccard index (independent masks)", shrink=0.8)
