"""The shift of topics that the filters of a data set make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlvr.core.escaping import plot_text
from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.options import option
from rlvr.report.data_cards import find_card, missing_text
from rlvr.report.looks import FULL_WIDTH_MM, Drawing, new_figure, one_legend, panels, say

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PARTS = ("read", "kept")


@dataclass(frozen=True)
class Options(FigureOptions):
    """Options of the figure."""

    dataset: str = option("data set whose card it shows")
    topics: int = option("topics that it shows", minimum=2, maximum=100)

    def evidence(self) -> Mapping[str, Sequence[str]]:
        """The card of the data set."""
        return {"cards": [self.dataset]}

    def series(self) -> Sequence[str]:
        """All problems, and those that are kept."""
        return PARTS


def table(drawing: Drawing) -> "pd.DataFrame":
    """The CSV of the figure, see :func:`topic_table`."""
    card = find_card(drawing.inputs.get("cards", ()), drawing.options.dataset)
    return topic_table(card, drawing.options.topics)


def topic_table(card: Mapping[str, Any] | None, shown: int) -> "pd.DataFrame":
    """Shares of the topics before and after the filters: those that gain most and those that lose most.

    Args:
        card: The data card; ``None`` gives a table without lines.
        shown: Topics in all, half of them from either end where there are more.

    Returns:
        Columns topic, read, kept (problems), read_share, kept_share, shift (percentage points), largest gain first.
    """
    import pandas as pd

    columns = ["topic", "read", "kept", "read_share", "kept_share", "shift"]
    if card is None or not card["fields"]:
        return pd.DataFrame(columns=columns)
    counts = pd.DataFrame(card["fields"]).rename(columns={"field": "topic"})
    shares = 100 * counts[list(PARTS)] / counts[list(PARTS)].sum()
    found = counts.assign(read_share=shares["read"], kept_share=shares["kept"], shift=shares["kept"] - shares["read"])
    found = found.sort_values(["shift", "topic"], ascending=[False, True], ignore_index=True)
    if len(found) > shown:
        found = pd.concat([found.head(shown - shown // 2), found.tail(shown // 2)], ignore_index=True)
    return found[columns]


def draw(drawing: Drawing, table: "pd.DataFrame") -> "Figure":
    """Two horizontal bars per topic: its share of all problems and of the kept ones."""
    import seaborn as sns

    figure = new_figure((FULL_WIDTH_MM[0], max(40, 20 + 6 * len(table))))
    (axes,) = panels(figure)
    if table.empty:
        say(axes, missing_text(drawing.options.dataset))
        return figure
    shares = {f"{name}_share": drawing.labels[name].name for name in PARTS}
    long = (
        table.assign(topic=table["topic"].map(plot_text))
        .melt("topic", list(shares), "part", "share")
        .replace({"part": shares})
    )
    colours = {drawing.labels[name].name: drawing.labels[name].colour for name in PARTS}
    sns.barplot(
        data=long, y="topic", x="share", hue="part", palette=colours, ax=axes, saturation=1, edgecolor="black",
        linewidth=0.3, errorbar=None,
    )  # fmt: skip
    axes.set(xlabel="Share of the problems (%)", ylabel="")
    axes.grid(visible=False, axis="y")
    one_legend(figure, axes)
    return figure
