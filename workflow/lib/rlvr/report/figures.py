"""Figures: spectra of bases and updates, accuracy against them, training curves, what a data card holds.

Colour, marker and display name of a series come from the study's ``labels.csv``, everything else from the style file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rlvr.plan.outputs import Output, load_outputs
from rlvr.report.card_figures import difficulty_table, draw_difficulty, draw_topics, find_card, topic_table
from rlvr.report.cells import Scope
from rlvr.report.decay_figure import projections_file
from rlvr.report.evidence import InputPaths, read_tables
from rlvr.report.files import make_cells, provenance_lines, write_text
from rlvr.report.looks import FULL_WIDTH_MM, ONE_COLUMN_MM, Label, find_label, new_figure, read_labels, save_figure
from rlvr.report.spectral_figures import geometry_file, heatmap_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FigureFiles:
    """Where a figure goes; the CSV holds what was plotted."""

    csv: str
    pdf: str
    png: str


def plot_file(
    output_id: str, outputs_path: str, style_path: str, scope: Scope, inputs: InputPaths, files: FigureFiles
) -> None:
    """Make one figure as PDF and PNG, and write what it shows as CSV.

    Args:
        output_id: Key in ``outputs.yaml``.
        outputs_path: The study's ``outputs.yaml``; ``labels.csv`` lies beside it.
        style_path: Matplotlib style file.
        scope: Scale and runs of the tier.
        inputs: Finished files, at least what ``required_inputs`` names.
        files: Where to write.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    output = load_outputs(outputs_path)[output_id]
    labels = read_labels(Path(outputs_path).parent / "labels.csv")
    draw = DRAWERS[output.kind]
    provenance = provenance_lines(output_id, outputs_path, inputs.all)
    with plt.style.context(style_path):
        figure = draw(output, labels, scope, inputs, files.csv)
        _save(figure, files, "; ".join(provenance))
        plt.close(figure)


def mean_decay(frozen: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Mean and standard deviation over layers of the normalised singular values.

    Args:
        frozen: ``tables.FROZEN_SPECTRA``.
        models: Models to keep, in this order.

    Returns:
        Columns model, index, mean, std (n - 1), layers. A small layer has fewer values than a large one: ``layers``
        counts those that have a value of that index.
    """
    groups = frozen.groupby(["model", "index"])["normalised"]
    table = groups.agg(mean="mean", std="std", layers="count").reset_index()
    parts = [table[table["model"] == model].sort_values("index") for model in models]
    return pd.concat(parts, ignore_index=True)


def running_mean(values: pd.Series, window: int) -> pd.Series:
    """Centred mean over ``window`` steps, over fewer at either end."""
    return values.rolling(window, center=True, min_periods=1).mean()


def draw_decay(table: pd.DataFrame, models: Sequence[str], labels: Mapping[str, Label]) -> "Figure":
    """Decay of frozen singular values: one line and band a model."""
    figure, axes = new_figure(ONE_COLUMN_MM)
    for model in models:
        part, label = table[table["model"] == model], find_label(labels, model)
        axes.plot(part["index"], part["mean"], label.line, color=label.colour, label=label.name)
        low, high = (part["mean"] - part["std"]).clip(lower=0), (part["mean"] + part["std"]).clip(upper=1)
        axes.fill_between(part["index"], low, high, color=label.colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="Index of the singular value", ylabel="Singular value / largest of its layer", ylim=(0, 1.02))
    axes.legend()
    return figure


def draw_scatter(output: Output, cells: pd.DataFrame, labels: Mapping[str, Label]) -> "Figure":
    """Points with bars, one panel for each horizontal quantity, on a logarithmic axis; a series' points are joined."""
    panels = output.plot["panels"]
    figure, ((*axes_row,),) = new_figure(FULL_WIDTH_MM, len(panels), sharey=True, squeeze=False)
    points = point_table(output, cells)
    for axes, panel in zip(axes_row, panels, strict=True):
        for series in dict.fromkeys(points["series"]):
            part = points[(points["series"] == series) & (points[panel["x"]] > 0)].dropna(subset=[panel["x"], "y"])
            if not part.empty:
                _draw_series(axes, part, panel, find_label(labels, series))
        _log_axis(axes, panel["header"])
    axes_row[0].set(ylabel=_header(output, output.plot["y"]), ylim=(0, 100))
    handles, names = axes_row[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=max(1, min(len(names), 6)))
    return figure


def point_table(output: Output, cells: pd.DataFrame) -> pd.DataFrame:
    """One line a point: series, short text, the value of every column, and y, y_low, y_high."""
    wide = cells.pivot(index="row", columns="column", values="value").astype(float)
    accuracy = cells[cells["column"] == output.plot["y"]].set_index("row")
    return wide.assign(
        series=[row.series for row in output.rows],
        text=[row.labels[-1] for row in output.rows],
        y=accuracy["value"],
        y_low=accuracy["low"],
        y_high=accuracy["high"],
    )


def draw_curve(output: Output, metrics: pd.DataFrame, labels: Mapping[str, Label]) -> "Figure":
    """Training curves: thin every step, thick the running mean."""
    figure, axes = new_figure(ONE_COLUMN_MM)
    metric, window = output.plot["metric"], output.plot["window_steps"]
    for curve in output.plot["curves"]:
        part = metrics[metrics["run_id"] == curve["run"]].sort_values("step")
        label = find_label(labels, curve["series"])
        if part.empty:
            continue
        axes.plot(part["step"], part[metric], color=label.colour, linewidth=0.5, alpha=0.5)
        smooth = running_mean(part[metric], window)
        axes.plot(part["step"], smooth, label.line, color=label.colour, label=label.name)
    axes.set(xlabel="Optimizer step", ylabel=output.plot["header"])
    if axes.has_data():
        axes.legend()
    return figure


def _decay_file(
    output: Output, labels: Mapping[str, Label], _scope: Scope, inputs: InputPaths, csv_path: str
) -> "Figure":
    from rlvr.tables import FROZEN_SPECTRA

    models = output.plot["models"]
    table = mean_decay(read_tables(inputs.frozen, FROZEN_SPECTRA), models)
    write_text(table.to_csv(index=False), csv_path)
    return draw_decay(table, models, labels)


def _scatter_file(
    output: Output, labels: Mapping[str, Label], scope: Scope, inputs: InputPaths, csv_path: str
) -> "Figure":
    return draw_scatter(output, make_cells(output, scope, inputs, csv_path), labels)


def _curve_file(
    output: Output, labels: Mapping[str, Label], _scope: Scope, inputs: InputPaths, csv_path: str
) -> "Figure":
    from rlvr.tables import METRICS

    metrics = read_tables(inputs.metrics, METRICS)
    write_text(metrics[["run_id", "step", output.plot["metric"]]].to_csv(index=False), csv_path)
    return draw_curve(output, metrics, labels)


def _difficulty_file(
    output: Output, labels: Mapping[str, Label], _scope: Scope, inputs: InputPaths, csv_path: str
) -> "Figure":
    table = difficulty_table(find_card(inputs.cards, output.plot["dataset"]), output.plot.get("bin_width"))
    write_text(table.to_csv(index=False), csv_path)
    figure, axes = new_figure(ONE_COLUMN_MM)
    if table.empty:
        _say_missing(axes, output)
    else:
        draw_difficulty(axes, table, output.plot["header"], _card_labels(labels), output.plot.get("cap"))
    return figure


def _topics_file(
    output: Output, labels: Mapping[str, Label], _scope: Scope, inputs: InputPaths, csv_path: str
) -> "Figure":
    table = topic_table(find_card(inputs.cards, output.plot["dataset"]), output.plot["topics"])
    write_text(table.to_csv(index=False), csv_path)
    figure, axes = new_figure((FULL_WIDTH_MM[0], max(40, 14 + 6 * len(table))))
    if table.empty:
        _say_missing(axes, output)
    else:
        draw_topics(axes, table, _card_labels(labels))
    return figure


DRAWERS: Mapping[str, Callable[[Output, Mapping[str, Label], Scope, InputPaths, str], "Figure"]] = {
    "decay": _decay_file,
    "scatter": _scatter_file,
    "curve": _curve_file,
    "difficulty": _difficulty_file,
    "topics": _topics_file,
    "heatmap": heatmap_file,
    "geometry": geometry_file,
    "projections": projections_file,
}


def _card_labels(labels: Mapping[str, Label]) -> dict[str, Label]:
    return {series: find_label(labels, series) for series in ("read", "kept")}


def _say_missing(axes: "Axes", output: Output) -> None:
    """An empty figure says why: the scale has no such data set, or the card nothing to show."""
    text = f"data set '{output.plot['dataset']}' is not part of this scale"
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    axes.set_axis_off()


def _draw_series(axes: "Axes", part: pd.DataFrame, panel: Mapping[str, Any], label: Label) -> None:
    x, y = part[panel["x"]], part["y"]
    if "spread" in panel:
        spread = part[panel["spread"]].fillna(0.0)
        x_bars = [spread.where(spread < x, 0.95 * x), spread]  # a bar that reached zero has no place on a log axis
    else:
        x_bars = None
    y_bars = [(y - part["y_low"]).clip(lower=0), (part["y_high"] - y).clip(lower=0)]
    axes.errorbar(
        x, y, xerr=x_bars, yerr=y_bars, fmt=label.marker, color=label.colour, fillstyle=label.fill, label=label.name,
        linestyle=label.line if len(part) > 1 else "none", linewidth=0.7, elinewidth=0.5,
    )  # fmt: skip
    for text, x_point, y_point in zip(part["text"], x, y, strict=True):
        if text.startswith("r = "):
            place = (x_point, y_point)
            axes.annotate(text[4:], place, (3, 3), textcoords="offset points", fontsize=5, color=label.colour)


def _log_axis(axes: "Axes", header: str) -> None:
    """Logarithmic horizontal axis with plain numbers at 1, 2 and 5, which also serves less than a decade."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    axes.set(xscale="log", xlabel=header)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(NullLocator())


def _save(figure: "Figure", files: FigureFiles, provenance: str) -> None:
    """Write both formats without time stamps, so that equal inputs give equal files."""
    pdf, png = {"Subject": provenance, "CreationDate": None}, {"Description": provenance, "Software": None}
    save_figure(figure, files.pdf, "pdf", pdf)
    save_figure(figure, files.png, "png", png)


def _header(output: Output, key: str) -> str:
    (header,) = (" ".join(column.header) for column in output.columns if column.key == key)
    return header
