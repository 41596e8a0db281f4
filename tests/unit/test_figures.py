"""The tables behind figures, and that every kind of figure draws its own."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_study import OUTPUTS, SCORES, STEPS, load_study, metrics_frame, score_frame, spectra_frame, write_study

from rlvr.core.errors import InputError
from rlvr.core.io import write_json, write_table
from rlvr.plan.labels import LINES, Label, default_label, read_labels
from rlvr.plan.options import build, option, schema_of
from rlvr.plan.outputs import required_inputs
from rlvr.report.cells import ReportScope
from rlvr.report.data_cards import find_card
from rlvr.report.figures import KINDS, kinds_table
from rlvr.report.figures.curve import running_mean
from rlvr.report.figures.decay import mean_decay
from rlvr.report.figures.difficulty import difficulty_table, draw_bars
from rlvr.report.figures.topics import topic_table
from rlvr.report.plotting import FigureFiles, as_drawing, plot_file, styled
from rlvr.tables import FROZEN_SPECTRA, METRICS, SPECTRA
from rlvr.tables import SCORES as SCORES_SCHEMA

ROOT = Path(__file__).resolve().parents[2]
STYLE = str(ROOT / "paper/style.mplstyle")
LABELS = """key,name,colour,marker,fill,line
x,X,#0072B2,o,full,-
y,Y,#D55E00,s,none,--
a,A,#000000,o,full,:
b,B,#009E73,^,full,-
read,all,#B0B0B0,s,full,-
kept,kept,#D55E00,s,full,-
"""
POINTS = {"benchmark": "hard", "where": {"seed": 1}}
SCATTER = {
    "kind": "scatter",
    "source": "figure 2",
    "caption": "Scatter.",
    "benchmark": "hard",
    "labels": ["Method", "Setting"],
    "columns": [
        {"key": "rank", "header": "Rank", "statistic": "effective_rank"},
        {"key": "spread", "header": "SD", "statistic": "effective_rank", "over_modules": "std"},
        {"key": "accuracy", "header": "Score (%)", "statistic": "avg_at_k"},
    ],
    "rows": [
        {"key": "lora", "series": "x", "labels": ["LoRA", "r = 8"], "where": {"method": "lora", "seed": 1}},
        {"key": "dora", "series": "y", "labels": ["DoRA", "r = 8"], "where": {"method": "dora", "seed": 1}},
        {"key": "gone", "series": "y", "labels": ["DoRA", "r = 9"], "where": {"method": "dora", "seed": 2}},
    ],
    "plot": {"y": "accuracy", "panels": [{"x": "rank", "spread": "spread", "header": "Effective rank"}]},
}
DIFFICULTY = {
    "kind": "difficulty",
    "source": "figure 3",
    "caption": "Difficulty.",
    "plot": {"dataset": "hard", "header": "Difficulty", "bin_width": 1, "cap": 1.5},
}
TOPICS = {"kind": "topics", "source": "figure 4", "caption": "Topics.", "plot": {"dataset": "hard", "topics": 2}}
CARD = {
    "recipe": {"dataset": "hard", "minimum_difficulty": 8.5},
    "difficulty": {
        "bin_width": 0.5,
        "bins": [
            {"from": 7.5, "read": 30, "kept": 0},
            {"from": 8.0, "read": 10, "kept": 0},
            {"from": 8.5, "read": 5, "kept": 4},
            {"from": 9.0, "read": 5, "kept": 5},
        ],
    },
    "fields": [
        {"field": "Calculus", "read": 30, "kept": 1},
        {"field": "Geometry", "read": 10, "kept": 2},
        {"field": "Topology", "read": 10, "kept": 6},
    ],
}


def frozen_frame() -> pd.DataFrame:
    """Three layers of model a (3, 3 and 2 values) and one of model b."""
    layers = [("a", 0, [1.0, 0.5, 0.25]), ("a", 1, [1.0, 0.7, 0.35]), ("a", 2, [1.0, 0.9]), ("b", 0, [1.0, 0.9, 0.8])]
    lines = [
        {
            "model": model, "module": f"layers.{layer}.q_proj", "layer": layer, "projection": "q_proj", "rows": 3,
            "cols": 3, "index": index, "singular_value": 2 * value, "normalised": value,
        }
        for model, layer, values in layers
        for index, value in enumerate(values, start=1)
    ]  # fmt: skip
    return pd.DataFrame(lines)


def test_every_kind_is_found_and_documents_its_options():
    modules = {path.stem for path in (ROOT / "workflow/lib/rlvr/report/figures").glob("[!_]*.py")}
    assert set(KINDS) == modules
    for kind in KINDS.values():
        properties = schema_of(kind.options)["properties"]
        assert properties and all(entry["description"] for entry in properties.values()), kind.name


def test_the_list_of_kinds_names_every_option():
    text = kinds_table()
    for name, kind in KINDS.items():
        assert f"* `{name}`: " in text
        assert all(f"    * `{each}`" in text for each in schema_of(kind.options)["properties"])


def test_kinds_are_found_without_loading_what_draws():
    """The Snakefile imports them at parse time."""
    heavy = "{'pandas', 'numpy', 'matplotlib', 'seaborn'}"
    code = f"import sys, rlvr.report.figures, rlvr.plan.outputs_file; print(sorted({heavy} & set(sys.modules)))"
    paths = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/lib")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=paths)
    assert run.stdout.strip() == "[]"


def test_options_are_their_own_schema():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Part:
        name: str = option("a name")

    @dataclass(frozen=True)
    class Options:
        parts: tuple[Part, ...] = option("parts")
        size: float | None = option("a size", default=None, exclusiveMinimum=0)

    made = build(Options, {"parts": [{"name": "a"}], "size": 2}, "here")
    assert made == Options((Part("a"),), 2)
    for wrong, message in [
        ({"parts": [{"name": 3}]}, r"here: key 'plot\.parts\.0\.name': 3 is not of type 'string'.*Expected: a name"),
        ({"parts": [{"name": "a", "nmae": "b"}]}, "'nmae' was unexpected.*Known keys: name"),
        ({"parts": [{"name": "a"}], "size": 0}, "key 'plot.size'"),
        ({}, "'parts' is a required property"),
    ]:
        with pytest.raises(InputError, match=message):
            build(Options, wrong, "here")


def test_matrices_with_fewer_values_are_kept_apart():
    """A mean over all of them would rise where the smaller ones end."""
    table = mean_decay(frozen_frame(), ["b", "a"])
    assert list(table["model"]) == ["b"] * 3 + ["a"] * 5
    a = table[table["model"] == "a"].set_index(["values", "index"])
    assert a.loc[(3, 2), "mean"] == pytest.approx(0.6) and a.loc[(3, 2), "std"] == pytest.approx(np.sqrt(2) / 10)
    assert a.loc[(2, 2), "mean"] == pytest.approx(0.9)
    assert list(a["layers"]) == [1, 1, 2, 2, 2]


def test_running_mean_shrinks_at_the_ends():
    assert list(running_mean(pd.Series([3.0, 0.0, 3.0, 6.0]), 3)) == [1.5, 2.0, 3.0, 4.5]


@pytest.fixture
def outputs(tmp_path):
    declared = {**OUTPUTS, "figure2": SCATTER, "figure3": DIFFICULTY, "figure4": TOPICS}
    (tmp_path / "labels.csv").write_text(LABELS)
    return load_study(write_study(tmp_path, declared))


@pytest.fixture
def inputs(tmp_path):
    """Files of every kind that a figure reads."""
    frames = {"scores": (score_frame(), SCORES_SCHEMA), "spectra": (spectra_frame(), SPECTRA)}
    frames |= {"metrics": (metrics_frame(), METRICS), "frozen": (frozen_frame(), FROZEN_SPECTRA)}
    for name, (frame, schema) in frames.items():
        write_table(frame, tmp_path / f"{name}.parquet", schema)
    write_json(CARD, tmp_path / "card.json")
    paths = {name: [str(tmp_path / f"{name}.parquet")] for name in frames}
    return {**paths, "cards": [str(tmp_path / "card.json")]}


def test_difficulty_bins_join_and_carry_the_cut():
    table = difficulty_table(CARD, bin_width=1)
    assert table[["from", "to", "read", "kept"]].to_numpy().tolist() == [[7, 8, 30, 0], [8, 9, 15, 4], [9, 10, 5, 5]]
    assert set(table["cut"]) == {8.5}
    assert list(difficulty_table(CARD)["read"]) == [30, 10, 5, 5]


def test_bins_that_do_not_join_are_refused():
    with pytest.raises(InputError, match="not a multiple"):
        difficulty_table(CARD, bin_width=0.75)


def test_topics_are_shares_of_what_was_read_and_kept_largest_gain_first():
    table = topic_table(CARD, shown=3).set_index("topic")
    assert list(table.index) == ["Topology", "Geometry", "Calculus"]
    assert table.loc["Topology", "read_share"] == pytest.approx(20.0)
    assert table.loc["Topology", "kept_share"] == pytest.approx(100 * 6 / 9)
    assert table["shift"].sum() == pytest.approx(0.0)
    assert list(topic_table(CARD, shown=2)["topic"]) == ["Topology", "Calculus"]


def test_the_card_is_found_by_its_data_set(tmp_path):
    write_json(CARD, tmp_path / "card.json")
    assert find_card([str(tmp_path / "card.json")], "hard") == CARD
    assert find_card([str(tmp_path / "card.json")], "easy") is None


def test_bars_stand_on_counts_between_edges_otherwise_and_carry_what_does_not_fit():
    from matplotlib.figure import Figure

    labels = {name: Label(name, "#000000") for name in ("read", "kept")}
    axes = Figure().subplots()
    draw_bars(axes, difficulty_table(CARD), labels, cap=1.5)
    assert axes.get_ylim() == (0, 7.5)
    assert [text.get_text() for text in axes.texts] == ["30", "10"]
    assert [line.get_xdata()[0] for line in axes.lines] == [8.5]
    assert axes.patches[0].get_x() + axes.patches[0].get_width() / 2 == pytest.approx(7.75)
    axes = Figure().subplots()
    draw_bars(axes, difficulty_table(CARD, bin_width=1), labels)
    assert axes.patches[0].get_x() + axes.patches[0].get_width() / 2 == pytest.approx(7.0)
    assert [line.get_xdata()[0] for line in axes.lines] == [8.0]


def test_cards_are_required_where_the_scale_has_the_data_set(outputs):
    assert required_inputs(outputs["figure3"], {}, ["hard", "other"])["cards"] == (("hard",),)
    assert required_inputs(outputs["figure3"], {}, ["other"])["cards"] == ()


@pytest.mark.parametrize(
    ("key", "lines"), [("figure1", 8), ("figure2", 9), ("figure3", 3), ("figure4", 2), ("figure6", STEPS)]
)
def test_plot_file_writes_the_same_bytes_twice(tmp_path, outputs, inputs, key, lines):
    contents = []
    for attempt in ("one", "two"):
        files = FigureFiles(*(str(tmp_path / attempt / f"{key}.{kind}") for kind in ("csv", "pdf", "png")))
        scope = ReportScope("tiny", False, list(SCORES))
        plot_file(outputs[key].declaration(), str(tmp_path / "labels.csv"), STYLE, scope, inputs, files)
        contents.append([Path(path).read_bytes() for path in (files.csv, files.pdf, files.png)])
    assert contents[0] == contents[1]
    assert contents[0][1].startswith(b"%PDF") and contents[0][2].startswith(b"\x89PNG")
    assert len(pd.read_csv(tmp_path / "one" / f"{key}.csv")) == lines


@pytest.mark.parametrize("key", ["figure1", "figure2", "figure3", "figure4", "figure6"])
def test_a_figure_whose_runs_do_not_exist_is_empty_not_an_error(tmp_path, outputs, key):
    """A figure is drawn without evidence and, for a study without ``labels.csv``, in default looks."""
    files = FigureFiles(*(str(tmp_path / f"{key}.{kind}") for kind in ("csv", "pdf", "png")))
    plot_file(outputs[key].declaration(), None, STYLE, ReportScope("tiny", False, []), {}, files)
    assert Path(files.png).stat().st_size > 0


def test_points_are_joined_named_and_barred(outputs, inputs, tmp_path):
    scope = ReportScope("tiny", False, list(SCORES))
    drawing = as_drawing(outputs["figure2"], str(tmp_path / "labels.csv"), scope, inputs)
    kind = KINDS["scatter"]
    with styled(STYLE):
        (axes,) = kind.draw(drawing, kind.table(drawing)).axes
        assert [text.get_text() for text in axes.texts if text.get_text()] == ["8", "8"]
        assert min(text.get_fontsize() for text in axes.texts) >= 6
        assert axes.get_xscale() == "log" and axes.get_ylim() == (0, 100)
        assert [line.get_xdata()[0] for line in axes.lines if line.get_marker() in "os"] == [3.0, 20.0]


def test_bars_of_topics_are_shares(outputs, inputs, tmp_path):
    drawing = as_drawing(outputs["figure4"], str(tmp_path / "labels.csv"), ReportScope("tiny", False, []), inputs)
    with styled(STYLE):
        (axes,) = KINDS["topics"].draw(drawing, topic_table(CARD, shown=3)).axes
        widths = [[bar.get_width() for bar in bars] for bars in axes.containers]
        assert widths == [pytest.approx([20, 20, 60]), pytest.approx([100 * part / 9 for part in (6, 2, 1)])]


def test_a_curve_that_was_not_run_says_so(outputs, inputs, tmp_path):
    scope = ReportScope("tiny", False, list(SCORES))
    drawing = as_drawing(outputs["figure6"], str(tmp_path / "labels.csv"), scope, inputs)
    kind = KINDS["curve"]
    with styled(STYLE):
        figure = kind.draw(drawing, kind.table(drawing))
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["X", "Y: not run"]
        assert all(float(tick).is_integer() for tick in figure.axes[0].get_xticks())


def test_steps_that_the_paper_names_are_marked_where_a_run_reaches_them(outputs, inputs, tmp_path):
    """Eight steps here: one mark is a line at its place, the other is told in the panel and widens no axis."""
    marks = [{"step": 6, "text": "peak"}, {"step": 280, "text": "collapse"}]
    marked = replace(outputs["figure6"], plot={**outputs["figure6"].plot, "marks": marks})
    drawing = as_drawing(marked, str(tmp_path / "labels.csv"), ReportScope("tiny", False, list(SCORES)), inputs)
    kind = KINDS["curve"]
    with styled(STYLE):
        figure = kind.draw(drawing, kind.table(drawing))
        (axes,) = figure.axes
        verticals = [list(line.get_xdata()) for line in axes.lines if line.get_linestyle() == "--"]
        assert verticals == [[6, 6]] and axes.get_xlim()[1] < 20
        assert "peak (printed)" in [text.get_text() for text in figure.legends[0].get_texts()]
        (told,) = axes.texts[-1:]
        assert told.get_text().splitlines()[1:] == ["collapse near step 280"] and told.get_fontsize() >= 6
        figure.draw_without_rendering()
        inside, legend = figure.bbox, figure.legends[0].get_window_extent()
        assert inside.x0 <= legend.x0 and legend.x1 <= inside.x1  # a legend that is too wide is cut


def test_a_series_without_a_label_is_named(outputs, inputs, tmp_path):
    (tmp_path / "labels.csv").write_text(LABELS.replace("b,B", "c,C"))
    files = FigureFiles(*(str(tmp_path / f"out.{kind}") for kind in ("csv", "pdf", "png")))
    scope = ReportScope("tiny", False, [])
    with pytest.raises(InputError, match="no line for series 'b'"):
        plot_file(outputs["figure1"].declaration(), str(tmp_path / "labels.csv"), STYLE, scope, inputs, files)


def test_labels_with_other_columns_are_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("key,name\nx,X\n")
    with pytest.raises(InputError, match="other columns"):
        read_labels(tmp_path / "labels.csv", [])


def test_default_looks_tell_neighbours_apart_without_colour():
    looks = [default_label(str(place), place) for place in range(2 * len(LINES))]
    assert len({(look.marker, look.fill, look.line) for look in looks}) == len(looks)


def test_a_caption_says_where_the_paper_has_the_figure(outputs):
    assert outputs["figure2"].full_caption == "Scatter. The paper's figure 2."
