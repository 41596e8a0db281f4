"""File shell of all figures: read finished files, let the kind make table and picture, write both."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from rlvr.core.csvfile import csv_text
from rlvr.core.escaping import plot_text
from rlvr.plan.labels import read_labels
from rlvr.plan.options import build
from rlvr.plan.outputs import Output
from rlvr.report.cells import ReportScope
from rlvr.report.evidence import InputPaths, all_paths
from rlvr.report.figures import KINDS
from rlvr.report.files import provenance_lines, write_text
from rlvr.report.looks import Drawing, save_figure


@dataclass(frozen=True)
class FigureFiles:
    """Where a figure goes; the CSV holds what was plotted."""

    csv: str
    pdf: str
    png: str


def plot_file(
    declaration: Mapping[str, Any],
    labels_path: str | None,
    style_path: str,
    scope: ReportScope,
    inputs: InputPaths,
    files: FigureFiles,
) -> None:
    """Make one figure as PDF and PNG, and write what it shows as CSV.

    Args:
        declaration: The figure, as :meth:`Output.declaration` gives it.
        labels_path: The study's ``labels.csv``, or ``None`` for default looks.
        style_path: Matplotlib style file.
        scope: Scale and runs of the tier.
        inputs: Finished files, at least what ``required_inputs`` names.
        files: Where to write.
    """
    drawing = as_drawing(Output.read(declaration), labels_path, scope, inputs)
    kind = KINDS[drawing.output.kind]
    table = kind.table(drawing)
    write_text(csv_text(table), files.csv)
    provenance = "; ".join(provenance_lines(drawing.output.key, all_paths(inputs), scope))
    save = {
        files.pdf: ("pdf", {"Subject": provenance, "CreationDate": None}),
        files.png: ("png", {"Description": provenance, "Software": None}),
    }
    with styled(style_path):
        figure = kind.draw(drawing, table)
        for path, (form, metadata) in save.items():  # no time stamps: equal inputs give equal files
            save_figure(figure, path, form, metadata)


def as_drawing(output: Output, labels_path: str | None, scope: ReportScope, inputs: InputPaths) -> Drawing:
    """An output with its options and the looks of its series."""
    options = build(KINDS[output.kind].options, output.plot, f"outputs.yaml, output '{output.key}'")
    series = [*(row.series for row in output.rows if row.series), *options.series()]
    labels = read_labels(labels_path, series)
    labels |= {key: replace(labels[key], name=name) for key, name in scope.stand_ins.items() if key in labels}
    labels = {key: replace(label, name=plot_text(label.name)) for key, label in labels.items()}
    return Drawing(output, options, labels, scope, inputs)


@contextmanager
def styled(style_path: str) -> Iterator[None]:
    """One style and no window; figures made inside are closed at the end."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with plt.style.context(style_path):
        yield
    plt.close("all")
