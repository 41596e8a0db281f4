"""What figures draw, and that they draw it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_study import OUTPUTS, SCORES, score_frame, spectra_frame, write_study

from rlvr.core.errors import InputError
from rlvr.core.io import write_json, write_table
from rlvr.plan.outputs import load_outputs, required_inputs
from rlvr.report.card_figures import difficulty_table, find_card, topic_table
from rlvr.report.cells import Scope
from rlvr.report.evidence import InputPaths
from rlvr.report.figures import FigureFiles, mean_decay, plot_file, read_labels, running_mean
from rlvr.tables import FROZEN_SPECTRA, METRICS, SPECTRA
from rlvr.tables import SCORES as SCORES_SCHEMA

ROOT = Path(__file__).resolve().parents[2]
STYLE = str(ROOT / "paper/style.mplstyle")
STUDY = ROOT / "workflow/studies/structure-over-scale"
LABELS = """key,name,colour,marker,fill,line
x,X,#0072B2,o,full,-
y,Y,#D55E00,s,none,--
a,A,#000000,o,full,:
b,B,#009E73,^,full,-
read,all,#B0B0B0,s,full,-
kept,kept,#D55E00,s,full,-
"""
SCATTER = {
    "kind": "scatter",
    "source": "figure 2",
    "caption": "Scatter.",
    "labels": ["Method", "Setting"],
    "columns": [
        {"key": "rank", "header": "Rank", "statistic": "effective_rank", "runs": "main"},
        {"key": "spread", "header": "SD", "statistic": "effective_rank", "over_modules": "std", "runs": "main"},
        {"key": "accuracy", "header": "Score (%)", "statistic": "avg_at_k", "benchmark": "hard", "runs": "main"},
    ],
    "rows": [
        {"key": "lora", "series": "x", "labels": ["LoRA", "r = 8"], "runs": {"main": "lora-s1"}},
        {"key": "dora", "series": "y", "labels": ["DoRA", "r = 8"], "runs": {"main": "dora-s1"}},
        {"key": "gone", "series": "y", "labels": ["DoRA", "r = 9"], "runs": {"main": "dora-s2"}},
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
    """Two layers of model a (3 and 2 values) and one of model b."""
    layers = [("a", 0, [1.0, 0.5, 0.25]), ("a", 1, [1.0, 0.7]), ("b", 0, [1.0, 0.9, 0.8])]
    lines = [
        {
            "model": model, "module": f"layers.{layer}.q_proj", "layer": layer, "projection": "q_proj", "rows": 3,
            "cols": 3, "index": index, "singular_value": 2 * value, "normalised": value,
        }
        for model, layer, values in layers
        for index, value in enumerate(values, start=1)
    ]  # fmt: skip
    return pd.DataFrame(lines)


def metrics_frame() -> pd.DataFrame:
    numbers = {name: 0.5 for name, column in METRICS.columns.items() if str(column.dtype) == "float64"}
    return pd.DataFrame([{"run_id": "lora-s1", **numbers, "step": step, "reward": 1.0 / step} for step in range(1, 9)])


def test_mean_decay_by_hand():
    table = mean_decay(frozen_frame(), ["b", "a"])
    assert list(table["model"]) == ["b"] * 3 + ["a"] * 3
    second = table[(table["model"] == "a") & (table["index"] == 2)].iloc[0]
    assert second["mean"] == pytest.approx(0.6) and second["std"] == pytest.approx(np.sqrt(2) / 10)
    assert list(table[table["model"] == "a"]["layers"]) == [2, 2, 1]


def test_running_mean_shrinks_at_the_ends():
    assert list(running_mean(pd.Series([3.0, 0.0, 3.0, 6.0]), 3)) == [1.5, 2.0, 3.0, 4.5]


@pytest.fixture
def study(tmp_path):
    path = write_study(tmp_path, {**OUTPUTS, "figure2": SCATTER, "figure3": DIFFICULTY, "figure4": TOPICS})
    (tmp_path / "labels.csv").write_text(LABELS)
    return path


@pytest.fixture
def inputs(tmp_path):
    """Files of every kind that a figure reads."""
    frames = {"scores": (score_frame(), SCORES_SCHEMA), "spectra": (spectra_frame(), SPECTRA)}
    frames |= {"metrics": (metrics_frame(), METRICS), "frozen": (frozen_frame(), FROZEN_SPECTRA)}
    for name, (frame, schema) in frames.items():
        write_table(frame, tmp_path / f"{name}.parquet", schema)
    write_json(CARD, tmp_path / "card.json")
    paths = {name: [str(tmp_path / f"{name}.parquet")] for name in frames}
    return InputPaths(**paths, cards=[str(tmp_path / "card.json")])


def test_difficulty_bins_join_and_carry_the_cut():
    table = difficulty_table(CARD, bin_width=1)
    assert table[["from", "to", "read", "kept"]].to_numpy().tolist() == [[7, 8, 30, 0], [8, 9, 15, 4], [9, 10, 5, 5]]
    assert set(table["cut"]) == {8.5}
    assert list(difficulty_table(CARD)["read"]) == [30, 10, 5, 5]


def test_bins_that_do_not_join_are_refused():
    with pytest.raises(InputError, match="no multiple"):
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


def test_a_bar_above_the_cap_carries_its_number():
    from matplotlib.figure import Figure

    from rlvr.report.card_figures import draw_difficulty, draw_topics
    from rlvr.report.figures import Label

    labels = {name: Label(name, "#000000", "o", "full", "-") for name in ("read", "kept")}
    axes = Figure().subplots()
    draw_difficulty(axes, difficulty_table(CARD), "Difficulty", labels, cap=1.5)
    assert axes.get_ylim() == (0, 7.5)
    assert [text.get_text() for text in axes.texts] == ["30", "10"]
    assert [line.get_xdata()[0] for line in axes.lines] == [8.5]
    axes = Figure().subplots()
    draw_topics(axes, topic_table(CARD, shown=3), labels)
    assert [bar.get_width() for bar in axes.patches][:3] == pytest.approx([20, 20, 60])


def test_cards_are_required_where_the_scale_has_the_data_set(study):
    output = load_outputs(study)["figure3"]
    assert required_inputs(output, [], ["hard", "other"]).cards == ("hard",)
    assert required_inputs(output, [], ["other"]).cards == ()


@pytest.mark.parametrize(
    ("key", "lines"), [("figure1", 6), ("figure2", 9), ("figure3", 3), ("figure4", 2), ("figure6", 8)]
)
def test_plot_file_writes_the_same_bytes_twice(tmp_path, study, inputs, key, lines):
    contents = []
    for attempt in ("one", "two"):
        files = FigureFiles(*(str(tmp_path / attempt / f"{key}.{kind}") for kind in ("csv", "pdf", "png")))
        plot_file(key, str(study), STYLE, Scope("tiny", False, list(SCORES)), inputs, files)
        contents.append([Path(path).read_bytes() for path in (files.csv, files.pdf, files.png)])
    assert contents[0] == contents[1]
    assert contents[0][1].startswith(b"%PDF") and contents[0][2].startswith(b"\x89PNG")
    assert len(pd.read_csv(tmp_path / "one" / f"{key}.csv")) == lines


@pytest.mark.parametrize("key", ["figure2", "figure3", "figure4", "figure6"])
def test_a_figure_whose_runs_do_not_exist_is_empty_not_an_error(tmp_path, study, key):
    files = FigureFiles(*(str(tmp_path / f"{key}.{kind}") for kind in ("csv", "pdf", "png")))
    plot_file(key, str(study), STYLE, Scope("tiny", False, []), InputPaths(), files)
    assert Path(files.png).stat().st_size > 0


def test_a_series_without_a_label_is_named(study, inputs, tmp_path):
    (tmp_path / "labels.csv").write_text(LABELS.replace("b,B", "c,C"))
    files = FigureFiles(*(str(tmp_path / f"out.{kind}") for kind in ("csv", "pdf", "png")))
    with pytest.raises(InputError, match="no line for series 'b'"):
        plot_file("figure1", str(study), STYLE, Scope("tiny", False, []), inputs, files)


def test_labels_of_the_primary_study_cover_its_series_and_tell_the_readings_of_alpha_apart():
    labels = read_labels(STUDY / "labels.csv")
    outputs = load_outputs(STUDY / "outputs.yaml")
    series = {row.series for row in outputs["figure2"].rows} | set(outputs["figure1"].plot["models"])
    series |= {curve["series"] for curve in outputs["figure6"].plot["curves"]}
    assert series <= labels.keys()
    ratio, held = labels["lora-ratio"], labels["lora-held"]
    assert (ratio.fill, ratio.line) != (held.fill, held.line)


def test_labels_with_other_columns_are_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("key,name\nx,X\n")
    with pytest.raises(InputError, match="other columns"):
        read_labels(tmp_path / "labels.csv")
