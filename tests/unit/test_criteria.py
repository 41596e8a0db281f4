"""Columns of words that follow from cells; untrained bases as rows; largest means over seeds; smallest values."""

import copy

import pytest
from report_study import GRID, OUTPUTS, SCORE, evidence, load_study, write_study

from rlvr.core.errors import InputError
from rlvr.plan.outputs import required_inputs
from rlvr.plan.selection import base_facts, by_setting, candidates_of, run_facts, select
from rlvr.report.cells import build_cells
from rlvr.report.criteria import with_criteria
from rlvr.report.render import DASH, compose
from rlvr.report.scope import ReportScope

FACTS = run_facts({name: {**row, "model": "m", "dataset": "d"} for name, row in GRID.items()})
SCOPE = ReportScope(
    "paper", True, ["lora-s1", "lora-s2", "lora-s3", "dora-s1"], seeds={f"lora-s{n}": n for n in (1, 2, 3)}
)


def declared(columns, plot=None, rows=None):
    """One table over the four runs."""
    fields = copy.deepcopy(OUTPUTS["table1"]) | {"columns": columns}
    if plot:
        fields |= {"kind": "criteria", "plot": plot}
    if rows:
        fields["rows"] = rows
    return {"table1": fields}


def table_of(tmp_path, outputs, reported="row\n"):
    output = load_study(write_study(tmp_path, outputs, reported))["table1"]
    cells = build_cells(output, evidence(), SCOPE)
    return cells, with_criteria(compose(output, cells, SCOPE, []), cells)


def test_a_base_is_selected_by_name_alone():
    candidates = FACTS | base_facts(["m"])
    assert "m_base" not in select(candidates, [{"dataset": "d"}, {}])
    assert select(candidates, [{"dataset": "d", "seed": 1}, {"method": "base", "model": "m"}]) == ("m_base",)
    assert select(candidates, [{"method": ["base", "dora"], "seed": 1}]) == ("dora-s1", "m_base")
    assert select(candidates, [{"method": "base", "model": "other"}]) == ()
    assert set(candidates_of({"a": {"model": "m"}}, {}, {"p": {}})) == {"a", "m_base", "p"}


def test_runs_are_grouped_by_everything_but_their_seed():
    groups = by_setting(FACTS, list(FACTS))
    assert groups == [("lora-s1", "lora-s2", "lora-s3"), ("dora-s1", "dora-s2", "dora-s3")]


def test_a_base_has_scores_only(tmp_path):
    rows = [
        {"key": "lora", "labels": ["LoRA", ""], "where": {"method": "lora", "seed": 1}},
        {"key": "base", "labels": ["Base", ""], "where": {"method": "base", "model": "m"}},
    ]
    columns = [{"key": "score", "header": "S", **SCORE}, {"key": "rank", "header": "R", "statistic": "effective_rank"}]
    path = write_study(tmp_path, declared(columns, rows=rows), "row\n")
    from report_study import OPTIONS, SCHEMA, load_outputs

    output = load_outputs(path, FACTS | base_facts(["m"]), OPTIONS, SCHEMA)["table1"]
    (lora, base) = output.rows
    assert base.runs == {"score": (("m_base",),), "rank": ((),)} and lora.runs["rank"] == (("lora-s1",),)
    needed = required_inputs(output, {"lora-s1": "m", "m_base": "m"})
    assert needed["scores"] == (("lora-s1", "hard"), ("m_base", "hard")) and needed["spectra"] == (("lora-s1",),)


def test_smallest_of_runs_and_largest_of_means_over_seeds(tmp_path):
    """Of LoRA 60, 70, 80; DoRA has one of its three seeds, so that its mean takes no part."""
    columns = [
        {"key": "low", "header": "Low", **SCORE, "reduce": {"min": "runs"}},
        {"key": "best", "header": "Best", **SCORE, "reduce": {"max": "seed_means"}},
    ]
    rows = [{"key": "all", "labels": ["All", ""], "where": {"method": ["lora", "dora"]}}]
    output = load_study(write_study(tmp_path, declared(columns, rows=rows), "row\n"))["table1"]
    cells = build_cells(output, evidence(), SCOPE).set_index("column")
    assert cells.loc["low", "value"] == pytest.approx(55.0)
    assert (
        cells.loc["best", "value"] == pytest.approx(70.0) and cells.loc["best", "low"] < 60 < cells.loc["best", "high"]
    )
    assert cells.loc["best", "runs"] == "lora-s1 lora-s2 lora-s3"


COLUMNS = [
    {"key": "one", "header": "One", **SCORE, "where": {"seed": 1}},
    {"key": "two", "header": "Two", **SCORE, "where": {"seed": 2}},
]
CRITERIA = {
    "criteria": [
        {"key": "more", "header": "More?", "column": "one", "above": "dora"},
        {"key": "best", "header": "Best", "largest_of": ["one", "two"]},
        {"key": "second", "header": "Second?", "column": "two", "above": "dora"},
    ]
}


def test_words_follow_from_the_cells(tmp_path):
    _, table = table_of(tmp_path, declared(COLUMNS, CRITERIA), "row,more\nlora,✓\ndora,~\n")
    words = {column.header[-1]: column.texts for column in table.columns if column.kind != "ours"}
    assert words["More?"] == ["yes", "reference"] and words["Paper"] == ["✓", "~"]
    assert words["Best"] == ["Two", DASH], "the largest of those that happen to be there is no largest"
    assert words["Second?"] == [DASH, "reference"], "the other row was not run"


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        ({"criteria": [{"key": "a", "header": "A", "column": "gone", "above": "dora"}]}, "names the column 'gone'"),
        ({"criteria": [{"key": "a", "header": "A", "colunm": "one"}]}, "'colunm' was unexpected"),
        ({"criteria": [{"key": "a", "header": "A", "column": "one", "above": "gone"}]}, "names the row 'gone'"),
        (
            {"criteria": [{"key": "a", "header": "A", "mean_of_printed": ["gone"]}]},
            "printed column 'gone'.*Known: none",
        ),
        ({"criteria": [{"key": "a", "header": "A", "largest_of": ["one", "gone"]}]}, "names the column 'gone'"),
        ({"criteria": {"no": {"such": "key"}}}, r"key 'plot\.criteria'"),
        ({"criteria": [-1]}, r"key 'plot\.criteria\.0'"),
        ({"criteria": [{"key": "A b", "header": "A", "largest_of": ["one"]}]}, r"key 'plot\.criteria\.0\.key'"),
        ({"criteria": [{"key": "a", "header": "A"}]}, "criterion 'a' needs"),
        ({"criteria": [{"key": "a", "header": "A", "column": "one"}]}, "criterion 'a' needs"),
        ({"criteria": [{"key": "a", "header": "A", "above": "dora", "largest_of": ["one"]}]}, "criterion 'a' needs"),
        ({"criteria": [{"key": "a", "header": "A", "largest_of": ["one"]}] * 2}, "criterion 'a' appears twice"),
    ],
)
def test_a_misspelt_criterion_is_named(tmp_path, plot, message):
    with pytest.raises(InputError, match=message):
        table_of(tmp_path, declared(COLUMNS, plot))


def test_a_printed_word_without_a_criterion_is_refused(tmp_path):
    with pytest.raises(InputError, match="column 'other'"):
        table_of(tmp_path, declared(COLUMNS, CRITERIA), "row,other\nlora,7\n")
