"""How figures look: their sizes, and the display name, colour, marker and line of every series of a study."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCH_MM = 25.4
ONE_COLUMN_MM = (84, 60)
FULL_WIDTH_MM = (174, 74)
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
LABEL_FIELDS = ("key", "name", "colour", "marker", "fill", "line")


@dataclass(frozen=True)
class Label:
    """How a series looks: display name, colour, marker, marker fill (full or none), line style."""

    name: str
    colour: str
    marker: str
    fill: str
    line: str


def read_labels(path: Path) -> dict[str, Label]:
    """The study's table of series.

    Raises:
        InputError: If its columns are others than expected or a key is there twice.
    """
    with path.open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    if not lines or tuple(lines[0]) != LABEL_FIELDS:
        raise InputError(path, "has other columns than expected.", f"Expected: {', '.join(LABEL_FIELDS)}.")
    labels = {line.pop("key"): Label(**line) for line in lines}
    if len(labels) != len(lines):
        raise InputError(path, "has a key twice.", "Remove one of the lines.")
    return labels


def find_label(labels: Mapping[str, Label], key: str) -> Label:
    """The label of a series.

    Raises:
        InputError: If there is none.
    """
    if key not in labels:
        raise InputError("labels.csv", f"no line for series '{key}'.", f"Known: {', '.join(labels)}.")
    return labels[key]


def new_figure(size_mm: tuple[float, float], columns: int = 1, **options: Any) -> tuple["Figure", Any]:
    """A figure of this size and its axes; none where ``columns`` is 0."""
    from matplotlib import pyplot as plt

    size = tuple(side / INCH_MM for side in size_mm)
    return plt.subplots(1, columns, figsize=size, **options) if columns else (plt.figure(figsize=size), None)


def save_figure(figure: "Figure", path: str | Path, kind: str, metadata: Mapping[str, str | None]) -> None:
    """Write one format of a figure, whole or not at all."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=kind, metadata=dict(metadata))
