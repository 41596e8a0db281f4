"""Figures over several runs: points that are means over seeds beside printed ones, and training of all runs."""

import pandas as pd
import pytest
from matplotlib.figure import Figure
from report_study import OUTPUTS, SCORE, SCORES, STEPS, evidence, load_study, metrics_frame, write_study
from test_figures import LABELS, STYLE

from rlvr.core.io import write_table
from rlvr.plan.options import build
from rlvr.report.cells import build_cells
from rlvr.report.figures import KINDS
from rlvr.report.figures.dynamics import fit_scale, medians
from rlvr.report.figures.scatter import Options, point_table
from rlvr.report.looks import NEUTRAL
from rlvr.report.plotting import as_drawing, styled
from rlvr.report.scope import ReportScope
from rlvr.tables import METRICS

SCOPE = ReportScope("tiny", False, list(SCORES), seeds={f"lora-s{seed}": seed for seed in (1, 2, 3)})
PLOT = {"y": "score", "y_mean": "mean", "panels": [{"x": "size", "x_mean": "size_mean", "header": "Size"}]}
SIZE = {"statistic": "trainable_parameters"}
SCATTER = {
    "kind": "scatter",
    "caption": "Points.",
    "labels": ["Method", "Setting"],
    "columns": [
        {"key": "size", "header": "Size", **SIZE, "where": {"seed": 1}},
        {"key": "size_mean", "header": "Size", **SIZE, "reduce": {"mean": "seeds"}},
        {"key": "score", "header": "Score (%)", **SCORE, "where": {"seed": 1}},
        {"key": "mean", "header": "Score (%)", **SCORE, "reduce": {"mean": "seeds"}},
    ],
    "rows": [
        {"key": "lora", "series": "x", "labels": ["LoRA", "r = 8"], "where": {"method": "lora"}},
        {"key": "dora", "series": "y", "labels": ["DoRA", "r = 8"], "where": {"method": "dora"}},
    ],
    "plot": PLOT,
}
DYNAMICS = {
    "kind": "dynamics",
    "caption": "Training.",
    "plot": {
        "panels": [{"metric": "accuracy", "header": "Accuracy (%)"}, {"metric": "kl", "header": "KL (nats)"}],
        "curves": [
            {"series": "x", "where": {"method": "lora"}},
            {"series": "y", "where": {"method": "dora"}},
        ],
    },
}


@pytest.fixture
def outputs(tmp_path):
    (tmp_path / "labels.csv").write_text(LABELS)
    path = write_study(tmp_path, {**OUTPUTS, "figure2": SCATTER, "figureS4": DYNAMICS})
    (tmp_path / "reported/figure2.csv").write_text("row,size,score\nlora,22M,78.1\ndora,43.6M,\n")
    return load_study(path)


def test_a_mean_over_seeds_takes_the_place_of_one_seed_where_it_was_run(outputs):
    """LoRA has three seeds (60, 70, 80); DoRA one of three, so that its point is that seed's."""
    output = outputs["figure2"]
    options = build(Options, output.plot, "here")
    points = point_table(output, build_cells(output, evidence(), SCOPE), options, options.panels[0])
    assert points.loc["lora", ["x", "y"]].tolist() == [5376, 70] and points.loc["dora", "y"] == pytest.approx(55)
    assert points.loc["lora", "y_low"] < 60, "an interval over seeds, not over problems"
    assert points.loc["lora", ["printed_x", "printed_y"]].tolist() == [22e6, 78.1]
    assert pd.isna(points.loc["dora", "printed_y"])


def test_printed_points_are_open_and_grey(outputs, tmp_path, monkeypatch):
    output = outputs["figure2"]
    cells = build_cells(output, evidence(), SCOPE)
    drawing = as_drawing(output, str(tmp_path / "labels.csv"), SCOPE, {})
    with styled(STYLE):
        figure = KINDS["scatter"].draw(drawing, cells)
        grey = [line for line in figure.axes[0].lines if line.get_color() == NEUTRAL]
        assert [(list(line.get_xdata()), list(line.get_ydata())) for line in grey] == [([22e6], [78.1])]
        assert grey[0].get_fillstyle() == "none" and grey[0].get_marker() == "o"
        assert "as printed" in [text.get_text() for text in figure.legends[0].get_texts()]


def metrics(tmp_path):
    """Metrics of two runs of LoRA, of 8 and of 6 steps, and of one of DoRA; no divergence was logged."""
    one = metrics_frame().assign(accuracy=0.2, kl=float("nan"))
    two = one[one["step"] <= 6].assign(run_id="lora-s2", accuracy=0.6)
    frame = pd.concat([one, two, one.assign(run_id="dora-s1", accuracy=0.5)])
    write_table(frame, tmp_path / "metrics.parquet", METRICS)
    return {"metrics": [str(tmp_path / "metrics.parquet")]}


def test_the_table_holds_what_was_logged_in_its_unit(outputs, tmp_path):
    drawing = as_drawing(outputs["figureS4"], str(tmp_path / "labels.csv"), SCOPE, metrics(tmp_path))
    table = KINDS["dynamics"].table(drawing)
    assert set(table["metric"]) == {"accuracy"} and len(table) == 2 * STEPS + 6
    assert table.groupby("run_id")["value"].first().to_dict() == {"lora-s1": 20, "lora-s2": 60, "dora-s1": 50}
    assert table.groupby("run_id")["series"].first().to_dict() == {"lora-s1": "x", "lora-s2": "x", "dora-s1": "y"}


def test_a_median_ends_where_its_first_run_does(outputs, tmp_path):
    """Beyond, it would move because a run leaves it."""
    drawing = as_drawing(outputs["figureS4"], str(tmp_path / "labels.csv"), SCOPE, metrics(tmp_path))
    found = medians(KINDS["dynamics"].table(drawing))
    lora = found[found["series"] == "x"]
    assert lora["x"].tolist() == [1, 2, 3, 4, 5, 6] and list(lora["mean"]) == pytest.approx([40] * 6)
    assert len(found[found["series"] == "y"]) == STEPS


def test_every_run_has_a_line_and_a_metric_that_was_not_logged_says_so(outputs, tmp_path):
    drawing = as_drawing(outputs["figureS4"], str(tmp_path / "labels.csv"), SCOPE, metrics(tmp_path))
    kind = KINDS["dynamics"]
    with styled(STYLE):
        accuracy, divergence = kind.draw(drawing, kind.table(drawing)).axes
        assert len(accuracy.lines) == 3 + 2
        assert [text.get_text() for text in divergence.texts] == ["KL (nats):\nnot logged"]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0.1, 0.2, 0.3], "linear"),
        ([0.001, 0.2, 0.3], "log"),
        ([0.0, 0.2, 0.3], "linear"),
        ([0.0, 0.02, 0.03, 4000.0], "symlog"),
        ([-1.0, 0.02, 0.03, 4000.0], "linear"),
        ([], "linear"),
    ],
)
def test_a_panel_of_values_far_apart_is_logarithmic_and_shows_its_zeros(values: list[float], scale: str) -> None:
    axes = Figure().subplots()
    axes.plot(range(len(values)), values)
    fit_scale(axes, pd.Series(values, dtype=float))
    assert axes.get_yscale() == scale
    if scale == "symlog":
        assert axes.get_ylim()[0] == 0 and axes.yaxis.get_transform().linthresh == 0.01
