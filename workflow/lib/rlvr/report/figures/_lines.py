"""Lines that several kinds of figures draw and that claims read: one row per series and index, with its runs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("series", "index", "mean", "std", "runs")


def summarised(values: "pd.DataFrame") -> "pd.DataFrame":
    """Mean and standard deviation (n - 1) of what each series has at each index.

    Args:
        values: Columns series, index, value, run_id.

    Returns:
        ``COLUMNS``; ``runs`` lists the run ids of a point, joined by a space.
    """
    import pandas as pd

    if values.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    groups = values.groupby(["series", "index"], sort=False)
    found = groups["value"].agg(mean="mean", std="std")
    found["runs"] = groups["run_id"].agg(lambda names: " ".join(sorted(set(map(str, names)))))
    return found.reset_index()[list(COLUMNS)]


def drawn(table: "pd.DataFrame", names: Mapping[str, str]) -> "pd.DataFrame":
    """What :func:`rlvr.report.looks.draw_lines` draws of a table of lines.

    Args:
        table: ``COLUMNS``.
        names: Key of the look by series of the table; other series are left out.
    """
    part = table[table["series"].isin(list(names))]
    return part.assign(series=part["series"].map(names), x=part["index"])[["series", "x", "mean", "std"]]


def scalars_of(diagnostics: "pd.DataFrame", quantities: Sequence[str]) -> "pd.DataFrame":
    """Some scalars of every module, side by side: run_id, module, layer, projection, and a column per quantity."""
    part = diagnostics[(diagnostics["index"] == 0) & diagnostics["quantity"].isin(list(quantities))]
    keys = ["run_id", "module", "layer", "projection"]
    wide = part.pivot(index=keys, columns="quantity", values="value").reset_index()
    return wide.reindex(columns=[*keys, *quantities])
