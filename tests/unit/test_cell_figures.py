"""Figures of cells side by side and of diagnostics over layers."""

import pandas as pd
import pytest

from rlvr.plan.labels import Label
from rlvr.plan.options import build
from rlvr.plan.outputs import Column, Output, Row
from rlvr.report.figures import KINDS, grouped, layers
from rlvr.report.figures.geometry import PARTS, draw_panels
from rlvr.report.looks import Drawing, new_figure
from rlvr.report.scope import ReportScope

LABELS = {"a": Label("A", "#0072B2"), "b": Label("B", "#D55E00", "s", "none", "--")}
SCOPE = ReportScope("paper", True, [])


def diagnostics():
    """Two runs, two layers of two modules; values 0.1 x (1 + layer) for run r1, three times that for r2."""
    rows = [
        {"run_id": run, "module": f"m{layer}{side}", "layer": layer, "projection": side, "rows": 4, "cols": 4,
         "quantity": quantity, "index": 0, "value": factor * 0.1 * (1 + layer) + shift}
        for run, factor in (("r1", 1), ("r2", 3))
        for layer in (0, 1)
        for side, shift in (("q_proj", -0.05), ("k_proj", 0.05))
        for quantity in ("similarity_top", "similarity_chance")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_means_over_modules_and_runs_of_every_layer():
    found = layers.layer_table(diagnostics(), {"r1": "a", "r2": "a"}, ["similarity_top"])
    assert found["mean"].tolist() == pytest.approx([20.0, 40.0]) and found["count"].tolist() == [4, 4]
    assert found["series"].unique().tolist() == ["a"]


def test_layers_are_drawn_with_what_chance_gives():
    plot = {
        "panels": [{"quantity": "similarity_top", "header": "Top (%)"}, {"quantity": "tail_mean", "header": "Tail"}],
        "curves": [{"series": "a", "runs": ["r1"]}, {"series": "b", "runs": ["r2"]}],
        "chance": "similarity_chance",
    }
    options = build(layers.Options, plot, "test")
    drawing = Drawing(Output("figure7", "layers", "ours", ""), options, LABELS, SCOPE, {})
    table = layers.layer_table(diagnostics(), options.series_of(), options.quantities)
    figure = layers.draw(drawing, table)
    first, second = figure.axes
    assert [line.get_label() for line in first.lines] == ["A", "B", "no preference"]
    assert first.lines[0].get_ydata().tolist() == pytest.approx([10.0, 20.0])
    assert [text.get_text() for text in second.texts] == ["nothing was measured"]


def test_figures_of_runs_that_a_tier_does_not_have_say_so():
    curves = [{"series": "a", "runs": ["r1"]}]
    plots = {
        "layers": {"panels": [{"quantity": "similarity_top", "header": "Top (%)"}], "curves": curves},
        "dynamics": {"panels": [{"metric": "loss", "header": "Loss"}], "curves": curves},
        "geometry": {"curves": curves, "parts": ["modes", "energy"]},
    }
    for name, plot in plots.items():
        kind = KINDS[name]
        drawing = Drawing(Output("figure1", name, "ours", ""), build(kind.options, plot, "test"), LABELS, SCOPE, {})
        table = kind.table(drawing)
        assert table.empty
        assert kind.draw(drawing, table).axes


def test_rows_stand_beside_each_other_in_every_group():
    columns = (Column("x", ("Group", "X"), "avg_at_k"), Column("y", ("Group", "Y"), "avg_at_k"))
    rows = tuple(Row(key, (key,), {}, key) for key in LABELS)
    output = Output("figure8", "grouped", "ours", "", ("Method",), columns, rows)
    options = build(grouped.Options, {"groups": ["y", "x"], "header": "Accuracy (%)"}, "test")
    cells = pd.DataFrame(
        {"row": ["a", "a", "b", "b"], "column": ["x", "y", "x", "y"], "value": [10.0, 20.0, 30.0, None],
         "low": [8.0, None, 25.0, None], "high": [13.0, None, 31.0, None]}
    )  # fmt: skip
    (axes,) = grouped.draw(Drawing(output, options, LABELS, SCOPE, {}), cells).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["Y", "X"]
    points = [container[0].get_xydata() for container in axes.containers]
    assert points[0][:, 1].tolist() == [20.0, 10.0] and points[1][1, 1] == 30.0
    assert points[0][0, 0] < 0 < points[1][0, 0] < 0.5 < points[0][1, 0]  # rows in order, groups one apart


def test_every_kind_with_cells_names_its_columns():
    assert {name for name, kind in KINDS.items() if kind.options.cells} >= {"grouped", "scatter"}
    assert "layers" in KINDS


@pytest.mark.parametrize("parts", [("modes", "energy"), ("energy",), PARTS])
def test_geometry_draws_the_parts_that_are_asked_for(parts):
    values = {"mode_density": 1.0, "cumulative_energy": 0.5, "principal": 1.1, "low": 0.9, "angle": 3.0}
    rows = [
        {"run_id": "r1", "quantity": quantity, "x": x, "mean": value, "std": 0.1, "modules": 2}
        for quantity, value in values.items()
        for x in (0.0, 1.0)
    ]
    figure = new_figure((174, 60))
    draw_panels(figure, pd.DataFrame(rows), {"r1": LABELS["a"]}, parts)
    titles = [axes.get_ylabel() for axes in figure.axes if axes.axison]
    expected = {
        "modes": "Share / even share",
        "energy": "Cumulative energy",
        "overlap": "Overlap / chance",
        "rotation": "Principal angle (degrees)",
    }
    assert titles == [expected[part] for part in parts]
