"""Rows told apart, deviations with n, printed tables that several outputs share, smallest and largest over modules."""

import copy
import math

import numpy as np
import pytest
from report_study import OUTPUTS, SCORE, evidence, load_study, write_study

from rlvr.core.errors import InputError
from rlvr.report.cells import build_cells
from rlvr.report.comparing import Answers, Measured, constant, draw, draw_deviation, scaled
from rlvr.report.criteria import mean_text
from rlvr.report.measurements import draw_cell
from rlvr.report.render import DASH, compose
from rlvr.report.scope import ReportScope
from rlvr.report.separation import AHEAD, BEHIND, OPEN, SAME, pair_marks, separation_note, with_separation

SCOPE = ReportScope(
    "paper", True, ["lora-s1", "lora-s2", "lora-s3", "dora-s1"], seeds={f"lora-s{n}": n for n in (1, 2, 3)}
)


def measured(name, means, problems=200):
    """A configuration with one seed per mean on the same problems, of which the first so many are solved."""
    values = np.array([[float(place < round(mean * problems)) for place in range(problems)] for mean in means])
    seeds = tuple(range(len(means)))
    answers = Answers("b", tuple(f"p{place}" for place in range(problems)), values, 1)
    return Measured(name, seeds, 100 * values.mean(axis=1), (answers,), 100.0)


def test_pairs_are_told_apart_by_the_interval_of_their_difference():
    high, low = draw(measured("high", [0.80, 0.82, 0.81])), draw(measured("low", [0.30, 0.31, 0.29]))
    near, one = draw(measured("near", [0.79, 0.83, 0.80])), draw(measured("one", [0.10]))
    marks = pair_marks([high, low, near, one, constant(math.nan)])
    assert marks.loc[0].tolist() == [SAME, AHEAD, OPEN, DASH, DASH]
    assert marks.loc[1].tolist() == [BEHIND, SAME, BEHIND, DASH, DASH]
    assert marks.loc[2].tolist() == [OPEN, AHEAD, SAME, DASH, DASH]
    note = separation_note(marks)
    assert "Of 3 pairs 2 are told apart" in note and "0.2 would be" in note


def test_the_marks_are_antisymmetric():
    rng = np.random.default_rng(0)
    drawn = [draw(measured(str(place), rng.uniform(0.2, 0.8, 3))) for place in range(5)]
    marks, opposite = pair_marks(drawn), {AHEAD: BEHIND, BEHIND: AHEAD, OPEN: OPEN, SAME: SAME}
    assert all(marks.loc[b, a] == opposite[marks.loc[a, b]] for a in range(5) for b in range(5))


def declared(columns, **fields):
    return {"table1": copy.deepcopy(OUTPUTS["table1"]) | {"columns": columns} | fields}


def test_a_table_gets_one_column_per_row(tmp_path):
    columns = [{"key": "mean", "header": "Mean", **SCORE, "reduce": {"mean": "seeds"}}]
    outputs = declared(columns, kind="separation", plot={"column": "mean"})
    output = load_study(write_study(tmp_path, outputs, "row\n"))["table1"]
    table = with_separation(compose(output, build_cells(output, evidence(), SCOPE), SCOPE, []), evidence(), SCOPE)
    assert [column.header[-1] for column in table.columns] == ["Method", "Setting", "Mean", "1", "2"]
    assert table.columns[0].texts == ["1 LoRA", "2 DoRA"]
    assert [column.texts for column in table.columns[-2:]] == [[SAME, DASH], [DASH, SAME]]  # DoRA has one seed
    with pytest.raises(InputError, match="names the column 'other'"):
        load_study(write_study(tmp_path, declared(columns, kind="separation", plot={"column": "other"}), "row\n"))


def test_a_deviation_may_divide_by_n(tmp_path):
    """Scores of 60, 70, 80: 10 with n - 1, 8.165 with n; its interval and its draws shrink alike."""
    shared = {"header": "SD", **SCORE, "reduce": {"std": "seeds"}}
    columns = [{"key": "sample", **shared}, {"key": "population", **shared, "divided_by": "n"}]
    output = load_study(write_study(tmp_path, declared(columns), "row\n"))["table1"]
    cells = build_cells(output, evidence(), SCOPE).query("row == 'lora'").set_index("column")
    assert cells.loc["sample", "value"] == pytest.approx(10.0)
    assert cells.loc["population", "value"] == pytest.approx(math.sqrt(200 / 3))
    ends = cells.loc["population", ["low", "high"]].astype(float) / cells.loc["sample", ["low", "high"]].astype(float)
    assert ends.tolist() == pytest.approx([math.sqrt(2 / 3)] * 2)
    row, drawn = output.rows[0], [draw_cell(output.rows[0], column, evidence(), SCOPE) for column in output.columns]
    assert row.key == "lora" and np.allclose(drawn[1].draws_B, math.sqrt(2 / 3) * drawn[0].draws_B)


def test_scaling_keeps_seeds_and_draws():
    deviation = draw_deviation(measured("x", [0.2, 0.5, 0.9]))
    halved = scaled(deviation, 0.5)
    assert halved.value == deviation.value / 2 and halved.seeds == deviation.seeds
    assert np.array_equal(halved.draws_B, deviation.draws_B / 2)


def test_two_tables_share_a_printed_one(tmp_path):
    first = declared([{"key": "seed_1", "header": "S", **SCORE, "where": {"seed": 1}}])
    second = {"tableS1": {**first["table1"], "reported": "table1",
                          "columns": [{"key": "seed_2", "header": "S", **SCORE, "where": {"seed": 2}}]}}  # fmt: skip
    printed = "row,seed_1,seed_2\nlora,61.0,71.0\n"
    both = load_study(write_study(tmp_path, {**first, **second}, printed))
    texts = {key: output.printed(output.rows[0], output.columns[0]) for key, output in both.items()}
    assert texts == {"table1": "61.0", "tableS1": "71.0"}
    with pytest.raises(InputError, match="column 'seed_2' has no cell"):
        load_study(write_study(tmp_path, first, printed))
    with pytest.raises(InputError, match="no such file"):
        load_study(write_study(tmp_path, {"tableS1": {**second["tableS1"], "reported": "table9"}}, "row\n"))


def test_smallest_and_largest_over_modules(tmp_path):
    shared = {"header": "R", "statistic": "effective_rank", "where": {"seed": 1}}
    columns = [{"key": name, **shared, "over_modules": name} for name in ("min", "max")]
    output = load_study(write_study(tmp_path, declared(columns), "row\n"))["table1"]
    cells = build_cells(output, evidence(), SCOPE).query("row == 'dora'").set_index("column")
    assert cells["value"].to_dict() == {"min": 10.0, "max": 30.0}


def test_the_mean_of_printed_numbers_has_their_digits():
    assert mean_text(["33.2", "22.9", "64.4", "13.3", "72.1", "13.5"]) == "36.6"
    assert mean_text(["33.2", ""]) == DASH
