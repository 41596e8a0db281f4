"""Figures that a data card holds all of: difficulties with the cut, and the shift of topics that the cut makes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_json

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rlvr.report.looks import Label

BAR_SHARE = 0.92  # of a bin's width


def find_card(paths: Sequence[str], dataset: str) -> dict[str, Any] | None:
    """The card of a data set among these files; ``None`` where the scale has no such data set."""
    cards = (read_json(path) for path in paths)
    return next((card for card in cards if card["recipe"]["dataset"] == dataset), None)


def difficulty_table(card: Mapping[str, Any] | None, bin_width: float | None = None) -> pd.DataFrame:
    """Problems of each difficulty before and after the filters.

    Args:
        card: The data card; ``None`` gives a table without lines.
        bin_width: Wider bins than the card's, a multiple of its width; ``None`` keeps them.

    Returns:
        Columns from, to (edges, the lower one included), read, kept; the cut repeated in the column cut (missing
        where there is none).

    Raises:
        InputError: If the bins cannot be joined to that width.
    """
    columns = ["from", "to", "read", "kept", "cut"]
    if card is None or not card["difficulty"]["bins"]:
        return pd.DataFrame(columns=columns)
    own = card["difficulty"]["bin_width"]
    width = bin_width or own
    if (width / own) % 1:
        raise InputError("outputs.yaml", f"bin_width {width} is no multiple of the card's {own}.", "Choose another.")
    bins = pd.DataFrame(card["difficulty"]["bins"])
    table = (
        bins.assign(**{"from": bins["from"] // width * width}).groupby("from", as_index=False)[["read", "kept"]].sum()
    )
    return table.assign(to=table["from"] + width, cut=card["recipe"]["minimum_difficulty"])[columns]


def topic_table(card: Mapping[str, Any] | None, shown: int) -> pd.DataFrame:
    """Shares of the topics before and after the filters: those that gain most and those that lose most.

    Args:
        card: The data card; ``None`` gives a table without lines.
        shown: Topics in all, half of them from either end where there are more.

    Returns:
        Columns topic, read, kept (problems), read_share, kept_share, shift (percentage points), largest gain first.
    """
    columns = ["topic", "read", "kept", "read_share", "kept_share", "shift"]
    if card is None or not card["fields"]:
        return pd.DataFrame(columns=columns)
    counts = pd.DataFrame(card["fields"]).rename(columns={"field": "topic"})
    shares = 100 * counts[["read", "kept"]] / counts[["read", "kept"]].sum()
    table = counts.assign(read_share=shares["read"], kept_share=shares["kept"], shift=shares["kept"] - shares["read"])
    table = table.sort_values(["shift", "topic"], ascending=[False, True], ignore_index=True)
    if len(table) > shown:
        table = pd.concat([table.head(shown - shown // 2), table.tail(shown // 2)], ignore_index=True)
    return table[columns]


def draw_difficulty(
    axes: "Axes", table: pd.DataFrame, header: str, labels: Mapping[str, "Label"], cap: float | None = None
) -> None:
    """Bars of all problems with the kept ones in front, and the cut as a dashed line.

    Args:
        axes: Where to draw.
        table: As ``difficulty_table`` makes it.
        header: Label of the horizontal axis.
        labels: Looks of the series ``read`` and ``kept``.
        cap: Height of the axis in multiples of the highest kept bar; the number of a bar that does not fit stands at
            its top. ``None`` shows every bar whole.
    """
    width = table["to"] - table["from"]
    for series in ("read", "kept"):
        label = labels[series]
        axes.bar(table["from"], table[series], width * BAR_SHARE, align="edge", color=label.colour, label=label.name)
    if table["cut"].notna().any():
        axes.axvline(table["cut"].iloc[0], color="black", linestyle="--", linewidth=0.8)
    if cap is not None and table["kept"].max() > 0:
        _cap_axis(axes, table, cap * table["kept"].max())
    if len(table) and (width % 1 == 0).all():
        axes.locator_params(axis="x", integer=True)
    axes.set(xlabel=header, ylabel="Problems")
    axes.legend()


def _cap_axis(axes: "Axes", table: pd.DataFrame, top: float) -> None:
    axes.set_ylim(0, min(top, 1.05 * table["read"].max()))
    for left, right, count in table.loc[table["read"] > top, ["from", "to", "read"]].itertuples(index=False):
        axes.annotate(
            f"{count:,}", ((left + right) / 2, top), (0, -2), textcoords="offset points", rotation=90, ha="center",
            va="top", fontsize=5,
        )  # fmt: skip


def draw_topics(axes: "Axes", table: pd.DataFrame, labels: Mapping[str, "Label"]) -> None:
    """Two horizontal bars a topic: its share of all problems and of the kept ones; ``table`` as ``topic_table``."""
    for offset, series in ((-0.2, "read"), (0.2, "kept")):
        places = [place + offset for place in range(len(table))]
        label = labels[series]
        axes.barh(places, table[f"{series}_share"], 0.38, color=label.colour, label=label.name)
    axes.set_yticks(range(len(table)), labels=list(table["topic"]))
    axes.invert_yaxis()
    axes.set(xlabel="Share of the problems (%)")
    axes.grid(visible=False, axis="y")
    axes.legend()
