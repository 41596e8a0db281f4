"""How the series of a study look: display name, colour, marker and line, from ``labels.csv`` or by default."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rlvr.core.csvfile import read_csv
from rlvr.core.errors import InputError

LABEL_FIELDS = ("key", "name", "colour", "marker", "fill", "line")
# SOURCE: Okabe and Ito, colours that colour-blind readers can tell apart; yellow is left out, it is too light for lines
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#B8860B", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))

COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
WORDS = {  # what matplotlib knows
    "marker": ("o", "s", "^", "v", "<", ">", "D", "d", "P", "X", "p", "h", "H", "8", "*", "+", "x", "1", "2", "3", "4"),
    "fill": ("full", "none"),
    "line": ("-", "--", ":", "-."),
}


@dataclass(frozen=True)
class Label:
    """How a series looks: display name, colour, marker, marker fill (full or none), line style."""

    name: str
    colour: str
    marker: str = "o"
    fill: str = "full"
    line: str | tuple[int, tuple[int, ...]] = "-"


def read_labels(path: str | Path | None, series: Iterable[str], where: object = "") -> dict[str, Label]:
    """The looks of some series: from the study's table, or by default for a study that has none.

    Args:
        path: ``labels.csv``, or ``None``.
        series: Keys in the order in which default looks are handed out.
        where: Who asks for them, for messages.

    Raises:
        InputError: If the table has other columns than expected, a key twice, or no line for one of the series.
    """
    if path is None:
        return {key: default_label(key, place) for place, key in enumerate(dict.fromkeys(series))}
    lines = read_csv(path)
    if not lines or set(lines[0][1]) != set(LABEL_FIELDS):
        raise InputError(path, "has other columns than expected.", f"Expected: {', '.join(LABEL_FIELDS)}.")
    for number, line in lines:
        check_look(line, f"{path}, line {number}")
    labels = {line.pop("key"): Label(**line) for _, line in lines}
    if len(labels) != len(lines):
        raise InputError(path, "has a key twice.", "Remove one of the lines.")
    place = f"{path} ({where})" if where else path
    return {key: find_label(labels, key, place) for key in dict.fromkeys(series)}


def check_look(line: Mapping[str, str], where: str) -> None:
    """Check the name and the looks of one series.

    Raises:
        InputError: Names the column and the word.
    """
    if not line["key"] or not line["name"].strip():
        raise InputError(where, "has no key or no name.", "Write both; the name is what figures and tables show.")
    if not COLOUR.fullmatch(line["colour"]):
        raise InputError(where, f"colour '{line['colour']}'.", "Write it as #RRGGBB.")
    for column, words in WORDS.items():
        if line[column] not in words:
            raise InputError(where, f"{column} '{line[column]}'.", f"Known: {' '.join(words)}.")


def display_names(path: str | Path) -> dict[str, str]:
    """Displayed name of every series of a study's ``labels.csv``, by key; none for a study without the file."""
    if not Path(path).is_file():
        return {}
    return {line["key"]: line["name"] for _, line in read_csv(path, ("key", "name")) if line["key"]}


def find_label(labels: Mapping[str, Label], key: str, where: object = "labels.csv") -> Label:
    """The label of a series.

    Raises:
        InputError: If there is none.
    """
    if key not in labels:
        raise InputError(where, f"no line for series '{key}'.", f"Known: {', '.join(labels)}.")
    return labels[key]


def default_label(key: str, place: int) -> Label:
    """The look of the ``place``-th series of a figure: colour, marker and dashes differ from its neighbours'."""
    turn = place % len(COLOURS)
    return Label(key, COLOURS[turn], MARKERS[turn], "full" if place < len(COLOURS) else "none", LINES[turn])
