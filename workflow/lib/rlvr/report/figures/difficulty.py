"""Problems of each difficulty before and after the filters of a data set, with the cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError
from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.labels import Label
from rlvr.plan.options import option
from rlvr.report.data_cards import find_card, missing_text
from rlvr.report.looks import ONE_COLUMN_MM, SMALLEST_PT, Drawing, integer_ticks, new_figure, one_legend, panels, say

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR_SHARE = 0.92  # of a bin's width
PARTS = ("read", "kept")


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    dataset: str = option("data set whose card it shows")
    header: str = option("label of the horizontal axis")
    bin_width: float | None = option(
        "width of a bin, a multiple of the card's", default=None, exclusiveMinimum=0, maximum=100
    )
    cap: float | None = option(
        "height in multiples of the highest kept bar", default=None, exclusiveMinimum=0, maximum=100
    )

    def evidence(self) -> Mapping[str, Sequence[str]]:
        """The card of the data set."""
        return {"cards": [self.dataset]}

    def series(self) -> Sequence[str]:
        """All problems, and those that are kept."""
        return PARTS


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`difficulty_table`."""
    card = find_card(drawing.inputs.get("cards", ()), drawing.options.dataset)
    return difficulty_table(card, drawing.options.bin_width)


def difficulty_table(card: Mapping[str, Any] | None, bin_width: float | None = None) -> "pd.DataFrame":
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
    import pandas as pd

    columns = ["from", "to", "read", "kept", "cut"]
    if card is None or not card["difficulty"]["bins"]:
        return pd.DataFrame(columns=columns)
    own = card["difficulty"]["bin_width"]
    width = bin_width or own
    if (width / own) % 1:
        raise InputError("outputs.yaml", f"bin_width {width} is not a multiple of the card's {own}.", "Choose another.")
    bins = pd.DataFrame(card["difficulty"]["bins"])
    joined = bins.assign(**{"from": bins["from"] // width * width}).groupby("from", as_index=False)[list(PARTS)].sum()
    return joined.assign(to=joined["from"] + width, cut=card["recipe"]["minimum_difficulty"])[columns]


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Bars of all problems with the kept ones in front, and the cut as a dashed line."""
    figure = new_figure(ONE_COLUMN_MM)
    (axes,) = panels(figure)
    if table.empty:
        say(axes, missing_text(drawing.options.dataset))
    else:
        draw_bars(axes, table, drawing.labels, drawing.options.cap)
        axes.set(xlabel=plot_text(drawing.options.header), ylabel="Problems")
        one_legend(figure, axes)
    return figure


def draw_bars(axes: "Axes", table: "pd.DataFrame", labels: Mapping[str, Label], cap: float | None = None) -> None:
    """The bars.

    Args:
        axes: Where to draw.
        table: As :func:`difficulty_table` makes it. Bins one wide that start at whole numbers hold counts: their bars
            stand on the number.
        labels: Looks of the series ``read`` and ``kept``.
        cap: Height of the axis in multiples of the highest kept bar; the number of a bar that does not fit stands at
            its top. ``None`` shows every bar whole.
    """
    width = table["to"] - table["from"]
    counts = bool((width == 1).all() and (table["from"] % 1 == 0).all())
    shift = 0.5 if counts else 0.0
    for name in PARTS:
        places = table["from"] + width / 2 - shift
        axes.bar(places, table[name], width * BAR_SHARE, color=labels[name].colour, label=labels[name].name,
                 edgecolor="black", linewidth=0.3)  # fmt: skip
    if table["cut"].notna().any():
        axes.axvline(table["cut"].iloc[0] - shift, color="black", linestyle="--", linewidth=0.8, label="cut")
    if cap is not None and table["kept"].max() > 0:
        _cap_axis(axes, table.assign(middle=table["from"] + width / 2 - shift), cap * table["kept"].max())
    if counts or (width % 1 == 0).all():
        integer_ticks(axes)


def _cap_axis(axes: "Axes", table: "pd.DataFrame", top: float) -> None:
    axes.set_ylim(0, min(top, 1.05 * table["read"].max()))
    for middle, count in table.loc[table["read"] > top, ["middle", "read"]].itertuples(index=False):
        axes.annotate(
            f"{count:,}", (middle, top), (0, -2), textcoords="offset points", rotation=90, ha="center", va="top",
            fontsize=SMALLEST_PT,
        )  # fmt: skip
