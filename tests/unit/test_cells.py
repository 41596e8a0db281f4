"""Cells against hand-computed numbers; declarations that cannot be right."""

import copy
import math
from dataclasses import replace
from pathlib import Path

import pytest
from report_study import (
    BASES,
    GRID,
    OUTPUTS,
    SCORE,
    SCORES,
    STEPS,
    evidence,
    load_study,
    score_frame,
    spectra_frame,
    write_study,
)

from rlvr.core.errors import InputError
from rlvr.plan.outputs import SEED_MEANS, Column, Output, Row, required_inputs
from rlvr.plan.printed import format_count, parse_printed
from rlvr.plan.statistics import EVIDENCE, METRICS, STATISTICS
from rlvr.plan.verdict_words import CellVerdict
from rlvr.report.agreement import judge_cell
from rlvr.report.cells import Estimate, ReportScope, build_cells
from rlvr.report.evidence import Evidence, index_scores, mean_of, summarise_spectra
from rlvr.report.measurements import draw_cell
from rlvr.tables import CELLS
from rlvr.tables import METRICS as METRICS_SCHEMA

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def table(tmp_path):
    return load_study(write_study(tmp_path))["table1"]


@pytest.fixture
def cells(table):
    """Cells by (row key, column) at a scale that may be compared."""
    frame = CELLS.validate(build_cells(table, evidence(), ReportScope("paper", True, list(SCORES))))
    return {(line["row"], line["column"]): line for line in frame.to_dict("records")}


def test_single_values(cells):
    assert (cells["lora", "seed_1"]["value"], cells["lora", "seed_1"]["low"]) == pytest.approx((60, 55))
    assert cells["lora", "parameters"]["value"] == 5_376 and math.isnan(cells["lora", "parameters"]["low"])
    assert cells["lora", "rank"]["value"] == pytest.approx(3)
    assert cells["dora", "rank"]["decimals"] == 2


def test_mean_and_deviation_over_seeds(cells):
    mean = cells["lora", "mean"]
    margin = 4.302652729911275 * 10 / math.sqrt(3)  # Student's t, 2 degrees of freedom, standard deviation 10
    assert mean["value"] == pytest.approx(70)
    assert (mean["low"], mean["high"]) == pytest.approx((70 - margin, 70 + margin))
    assert cells["lora", "std"]["value"] == pytest.approx(10)
    assert (cells["lora", "std"]["low"], cells["lora", "std"]["high"]) == pytest.approx((5.2066, 62.847), abs=1e-3)
    assert mean["runs"] == "lora-s1 lora-s2 lora-s3"


def test_largest_and_difference(cells):
    assert cells["lora", "best"]["value"] == pytest.approx(80)
    gap = cells["lora", "gap"]
    assert gap["value"] == pytest.approx(10)
    error = 100 * math.sqrt(40 - 40**2 / 400) / 400  # McNemar's: 40 of 400 problems are solved by one run only
    assert (gap["low"], gap["high"]) == pytest.approx((10 - 1.96 * error, 10 + 1.96 * error), abs=0.2)
    best = cells["lora", "best"]
    assert best["low"] == pytest.approx(75.8, abs=0.3) and best["high"] == pytest.approx(83.6, abs=0.3)
    assert gap["runs"] == "lora-s2 lora-s1"


def test_what_was_not_run(cells):
    """One seed of three makes neither a mean nor a deviation nor a gap, but it is the best of what there is."""
    assert [cells["dora", name]["verdict"] for name in ("seed_2", "mean", "std", "gap")] == ["not run"] * 4
    assert cells["dora", "mean"]["reported"] == 74.4 and cells["dora", "mean"]["printed"] == "74.4"
    assert cells["dora", "best"]["value"] == pytest.approx(55) and cells["dora", "best"]["runs"] == "dora-s1"


def test_one_seed_in_the_grid_makes_no_mean(tmp_path):
    grid = {run_id: row for run_id, row in GRID.items() if run_id not in ("dora-s2", "dora-s3")}
    table = load_study(write_study(tmp_path, {"table1": OUTPUTS["table1"]}), grid)["table1"]
    frame = build_cells(table, evidence(), ReportScope("paper", True, list(SCORES)))
    dora = frame[frame["row"] == "dora"].set_index("column")["verdict"]
    assert dora["mean"] == dora["std"] == dora["seed_2"] == CellVerdict.NOT_RUN


def test_verdicts(cells):
    assert cells["lora", "seed_1"]["verdict"] == "agrees"  # 62.3 in [55, 65]
    assert cells["lora", "mean"]["verdict"] == "agrees"
    assert cells["lora", "parameters"]["verdict"] == "differs"
    assert cells["dora", "parameters"]["verdict"] == "agrees"  # 43.647 M is printed as 43.6M
    assert cells["dora", "seed_1"]["verdict"] == "not reported"


def test_the_schema_of_cells_knows_the_verdicts():
    (check,) = CELLS.columns["verdict"].checks
    assert set(check.statistics["allowed_values"]) == set(map(str, CellVerdict))


def test_nothing_is_judged_at_a_scale_of_stand_ins(table):
    frame = build_cells(table, evidence(), ReportScope("tiny", False, list(SCORES)))
    assert set(frame["verdict"]) == {"stand-in", "not run", "not reported"}


def test_a_run_of_the_tier_without_results_is_an_error(table):
    with pytest.raises(InputError, match="dora-s2 / hard / avg_at_k"):
        build_cells(table, evidence(), ReportScope("paper", True, [*SCORES, "dora-s2"]))


@pytest.mark.parametrize(
    ("text", "value", "verdict"),
    [
        ("78.1", 78.14, "agrees"),
        ("78.1", 78.16, "differs"),
        ("~900", 948.0, "agrees"),
        ("~900", 951.0, "differs"),
        ("43.6M", 43.64e6, "agrees"),
        ("~8B", 8.19e9, "agrees"),
        ("~8B", 8.6e9, "differs"),
        ("+5.9", 5.94, "agrees"),
    ],
)
def test_exact_numbers_are_judged_by_the_printed_rounding(text, value, verdict):
    column, row = Column("x", ("X",), "trainable_parameters"), Row("r", (), {"x": (("run",),)})
    found = judge_cell(
        row, column, Estimate(value), parse_printed(text), evidence(), ReportScope("paper", True, ["run"])
    )
    assert (found.verdict, found.spread_from) == (verdict, "exact")


def test_format_count():
    assert [format_count(count) for count in (640, 5_376, 43_646_976, 8_190_735_360)] == [
        "640",
        "5.38K",
        "43.6M",
        "8.19B",
    ]


def test_estimated_spectra_carry_an_interval():
    summary = summarise_spectra(spectra_frame(std_error=0.3))
    assert summary.loc[("lora-s1", "effective_rank"), "error"] == pytest.approx(math.sqrt(3) * 0.3)


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("training_time", 1.8),
        ("trainable_share", 10.0),
        ("peak_memory", 1.5),
        ("updates", 9.0),
        ("decomposition_time", 1.5),
        ("decomposition_memory", 16.0),
        ("final_accuracy", 50.0),
        ("final_reward", (STEPS + STEPS - 1) / 20),  # mean of the last two steps
    ],
)
def test_what_training_left_behind(statistic, value):
    column = Column("x", ("X",), statistic, last_steps=2)
    assert evidence().estimate("lora-s1", column).value == pytest.approx(value)


@pytest.mark.parametrize("record", [None, {}])
def test_a_run_that_started_from_no_decomposition_has_no_cost_of_one(record):
    found = evidence()
    found.manifests["lora-s1"]["decomposition"] = record
    assert math.isnan(found.estimate("lora-s1", Column("x", ("X",), "decomposition_time")).value)


def test_a_macro_average_over_benchmarks():
    scores = score_frame()
    easy = scores.assign(benchmark="easy", value=0.9, low=0.8, high=1.0)
    both = Evidence(index_scores(type(scores)(scores.to_dict("records") + easy.to_dict("records"))), {}, scores)
    found = both.estimate("lora-s1", Column("x", ("X",), "avg_at_k", benchmarks=("hard", "easy")))
    assert found.value == pytest.approx((60 + 90) / 2)
    assert found.value - found.low == pytest.approx(math.hypot(5, 10) / 2)
    assert math.isnan(mean_of([Estimate(1.0), Estimate(2.0)]).low)


def test_required_inputs_name_only_what_exists(table):
    needed = required_inputs(table, {"lora-s1": "base", "dora-s2": "base", "elsewhere": "base"})
    assert needed["scores"] == (("dora-s2", "hard"), ("lora-s1", "hard"))
    assert needed["manifests"] == needed["spectra"] == (("lora-s1",),)
    assert needed["metrics"] == needed["frozen"] == needed["models"] == ()
    assert set(needed) == set(EVIDENCE)


def test_required_inputs_of_figures(tmp_path):
    outputs = load_study(write_study(tmp_path))
    assert required_inputs(outputs["figure1"], BASES)["frozen"] == (("a",), ("b",))
    assert required_inputs(outputs["figure6"], BASES)["metrics"] == (("lora-s1",),)


def test_a_share_of_the_base_reads_the_base(tmp_path):
    columns = [{"key": "share", "header": "Share (%)", "statistic": "trainable_share", "where": {"seed": 1}}]
    outputs = {"table1": {**OUTPUTS["table1"], "columns": columns}}
    table = load_study(write_study(tmp_path, outputs, reported="row,share\n"))["table1"]
    assert required_inputs(table, BASES)["models"] == (("base",),)


def test_pairs_are_rows_like_runs(tmp_path):
    """A pair has spectra of its own, and no scores."""
    row = {"key": "{pair}", "labels": ["{pair}"], "where": {"pair": "pair-a"}}
    column = {"key": "rank", "header": "Rank", "statistic": "effective_rank"}
    entry = {"kind": "table", "source": "ours", "caption": "Pair.", "labels": ["Pair"]}
    outputs = {"tableS1": {**entry, "rows": [row], "columns": [column]}}
    table = load_study(write_study(tmp_path, outputs, reported="row\n"))["tableS1"]
    assert table.pairs == ("pair-a",) and table.rows[0].labels == ("pair-a",)
    assert required_inputs(table, BASES, pairs=["pair-a", "other"])["pair_spectra"] == (("pair-a",),)
    assert required_inputs(table, BASES)["pair_spectra"] == ()  # the scale measures no pairs
    spectra = spectra_frame().query("run_id == 'lora-s1'").assign(run_id="pair-a")
    found = Evidence(index_scores(score_frame()), {}, summarise_spectra(spectra))
    (cell,) = build_cells(table, found, ReportScope("tiny", False, ["pair-a"])).to_dict("records")
    assert cell["value"] == pytest.approx(3.0)
    assert set(build_cells(table, found, ReportScope("tiny", False, []))["verdict"]) == {CellVerdict.NOT_RUN}
    curves = [{"series": "x", "where": {"pair": "pair-a"}}, {"series": "y", "where": {"method": "lora", "seed": 1}}]
    figure = {"kind": "geometry", "caption": "Pair.", "plot": {"curves": curves}}
    needed = required_inputs(
        load_study(write_study(tmp_path, {"figureS1": figure}))["figureS1"], BASES, pairs=["pair-a"]
    )
    assert (needed["pair_diagnostics"], needed["diagnostics"]) == ((("pair-a",),), (("lora-s1",),))
    outputs["tableS1"]["columns"] = [{"key": "x", "header": "X", "statistic": "avg_at_k", "benchmark": "hard"}]
    with pytest.raises(InputError, match="pair 'pair-a' has no avg_at_k"):
        load_study(write_study(tmp_path, outputs, reported="row\n"))


def test_a_new_row_of_the_grid_shows_up_by_itself(tmp_path):
    row = {"key": "{method}-r{rank}", "labels": ["{method}", "r = {rank}"], "each": ["method", "rank"]}
    outputs = {"table1": {**OUTPUTS["table1"], "columns": [], "rows": [row]}}
    outputs["table1"]["columns"] = [
        {"key": "x", "header": "X", **OUTPUTS["table1"]["columns"][2], "where": {"seed": 1}}
    ]
    path = write_study(tmp_path, outputs, reported="row\n")
    assert [row.key for row in load_study(path)["table1"].rows] == ["lora-r8", "dora-r8"]
    grid = {**GRID, "lora-r4-s1": {**GRID["lora-s1"], "rank": 4, "alpha": 8.0}}
    rows = load_study(path, grid)["table1"].rows
    assert [row.key for row in rows] == ["lora-r4", "lora-r8", "dora-r8"]
    assert rows[0].labels == ("lora", "r = 4") and rows[0].runs["seed_1"] == (("lora-r4-s1",),)


def test_declarations_survive_the_way_to_a_job(tmp_path):
    for output in load_study(write_study(tmp_path)).values():
        assert Output.read(output.declaration()) == output


def difference_of(*names: str, **fields: object) -> dict:
    """The study's outputs with another difference in the last column of table 1."""
    outputs = copy.deepcopy(OUTPUTS)
    outputs["table1"]["columns"][-1] |= {"reduce": {"difference": list(names)}, **fields}
    return outputs


def test_a_difference_of_means_over_seeds_is_paired_by_seed(tmp_path):
    """The number that a claim about these columns is judged on: of two settings that have all their seeds."""
    columns = [
        {"key": "lora", "header": "L", **SCORE, "where": {"method": "lora"}, "reduce": {"max": "seed_means"}},
        {"key": "twice", "header": "T", **SCORE, "where": {"method": "lora"}, "reduce": {"mean": "seeds"}},
        {"key": "gap", "header": "G", **SCORE, "reduce": {"difference": ["lora", "twice"]}},
    ]
    rows = [{"key": "all", "labels": ["All", ""], "where": {"method": "lora"}}]
    outputs = {"table1": {**OUTPUTS["table1"], "columns": columns, "rows": rows}}
    table = load_study(write_study(tmp_path, outputs, reported="row\n"))["table1"]
    gap = table.columns[-1]
    scope = ReportScope("paper", True, list(SCORES), seeds={run_id: int(run_id[-1]) for run_id in SCORES})
    assert gap.over == SEED_MEANS and [part.key for part in gap.parts] == ["lora", "twice"]
    assert Output.read(table.declaration()) == table
    drawn = draw_cell(table.rows[0], gap, evidence(), scope)
    assert drawn.value == 0 and not drawn.draws_B.any() and drawn.seeds == 3  # one quantity less itself
    (cell,) = build_cells(table, evidence(), scope).query("column == 'gap'").to_dict("records")
    assert cell["value"] == 0 and set(cell["runs"].split()) == {"lora-s1", "lora-s2", "lora-s3"}
    fewer = replace(scope, runs=["lora-s1", "lora-s2"])
    assert math.isnan(draw_cell(table.rows[0], gap, evidence(), fewer).value)  # a mean of fewer is another quantity


def changed(**edits) -> dict:
    """The study's outputs with keys of the first row or column of table 1 replaced."""
    outputs = copy.deepcopy(OUTPUTS)
    for path, value in edits.items():
        part, key = path.split("__")
        outputs["table1"][part][0][key] = value
    return outputs


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (changed(rows__key="dora"), "row 'dora' appears twice"),
        (changed(columns__key="mean"), "column 'mean' appears twice"),
        (changed(rows__labels=["LoRA"]), "has 1 labels"),
        (changed(rows__labels=["LoRA", "r = {rank}"]), "cannot fill in 'r = {rank}'"),
        (changed(columns__benchmark="hard"), "A score needs 'benchmark'"),
        (changed(columns__statistic="accuracy"), "statistic 'accuracy' is not known.*avg_at_k"),
        (changed(columns__where={}), "row 'lora', column 'parameters': shows one run and selects 3"),
        (changed(columns__where={"sead": 1}), "selects by 'sead'.*seed"),
        (changed(columns__reduce={"mean": "seeds"}, rows__where={"rank": 8}), "other settings differ"),
        (changed(rows__where={"method": "vera"}), "no run of the grid meets"),
        (changed(rows__rnus={}), "rnus"),
        (changed(rows__key="lora-r8"), "row 'lora', column 'mean' has no cell"),
        (difference_of("seed_2", "sed_1"), "column 'gap': is a difference with column 'sed_1'.*before it.*seed_1"),
        (difference_of("std", "seed_1"), "'std', which is none of those"),
        (difference_of("gap", "seed_1"), "'gap', which is none of those"),
        (difference_of("rank", "seed_1"), "a difference of other things than it shows"),
        (difference_of("seed_2", "seed_1", where={"seed": 1}), "or narrows their runs"),
        ({"table2": OUTPUTS["figure1"]}, "kind 'decay' does not fit its name"),
        ({"figure1": {"caption": "Decay."}}, "kind '' does not fit its name"),
        ({"figure1": {**OUTPUTS["figure1"], "kind": "pie"}}, "kind 'pie' is not known.*decay"),
        ({"figure1": {**OUTPUTS["figure1"], "plot": {"model": ["a"]}}}, "output 'figure1': key 'plot'.*'model' was un"),
        ({"figure1": {**OUTPUTS["figure1"], "plot": {"models": "a"}}}, r"key 'plot\.models'.*not of type 'array'"),
        ({"figure1": {**OUTPUTS["figure1"], "plot": {}}}, "'models' is a required property.*Known keys: models"),
        ({"figure1": {**OUTPUTS["table1"], "kind": "decay", "plot": {"models": ["a"]}}}, "'decay' has no labels"),
    ],
)
def test_wrong_declarations_are_refused(tmp_path, outputs, message):
    with pytest.raises(InputError, match=message):
        load_study(write_study(tmp_path, outputs))


def test_a_printed_text_that_is_no_number_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"line 2, column 'mean'.*'7b\.1' is not a number"):
        load_study(write_study(tmp_path, reported="row,mean\nlora,7b.1\n"))


def test_a_study_without_outputs_is_allowed(tmp_path):
    (tmp_path / "outputs.yaml").write_text("outputs: {}\n")
    assert load_study(tmp_path / "outputs.yaml") == {}


def test_the_vocabulary_fits_the_tables():
    columns = set(METRICS_SCHEMA.columns) - {"run_id", "step"}
    assert set(METRICS) == columns
    assert {kind for statistic in STATISTICS.values() for kind in statistic.evidence} <= set(EVIDENCE)


def test_the_page_on_spectra_lists_every_statistic():
    lines = [f"| `{each.name}` | {each.unit} | {each.source} | {each.meaning} |" for each in STATISTICS.values()]
    table = "\n".join(["| statistic | unit | read from | means |", "|---|---|---|---|", *lines])
    assert table in (ROOT / "docs/spectra.md").read_text(), f"paste into docs/spectra.md:\n{table}"
