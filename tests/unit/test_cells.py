"""Cells against hand-computed numbers; declarations that cannot be right."""

import copy
import csv
import math
from pathlib import Path

import pytest
from report_study import OUTPUTS, SCORES, evidence, spectra_frame, write_study

from rlvr.core.errors import InputError
from rlvr.plan.outputs import check_outputs, load_outputs, required_inputs
from rlvr.plan.printed import format_count, parse_printed
from rlvr.report.cells import Estimate, Scope, build_cells, difference, judge
from rlvr.report.evidence import summarise_spectra
from rlvr.tables import CELLS

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "workflow/studies/structure-over-scale"
SCHEMAS = ROOT / "workflow/schemas"


@pytest.fixture
def table(tmp_path):
    return load_outputs(write_study(tmp_path), SCHEMAS / "outputs.schema.yaml")["table1"]


@pytest.fixture
def cells(table):
    """Cells by (row key, column) at a scale that may be compared."""
    frame = CELLS.validate(build_cells(table, evidence(), Scope("paper", True, list(SCORES))))
    keys = [row.key for row in table.rows]
    return {(keys[line["row"]], line["column"]): line for line in frame.to_dict("records")}


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
    assert mean["runs"] == "lora-s1 lora-s2 lora-s3"


def test_largest_and_difference(cells):
    assert cells["lora", "best"]["value"] == pytest.approx(80)
    gap = cells["lora", "gap"]
    assert gap["value"] == pytest.approx(10)
    assert gap["low"] == pytest.approx(10 - math.hypot(5, 5))


def test_what_was_not_run(cells):
    """One seed of three makes neither a mean nor a deviation nor a gap, but it is the best of what there is."""
    assert [cells["dora", name]["verdict"] for name in ("seed_2", "mean", "std", "gap")] == ["not run"] * 4
    assert cells["dora", "mean"]["reported"] == 74.4
    assert cells["dora", "best"]["value"] == pytest.approx(55) and cells["dora", "best"]["runs"] == "dora-s1"


def test_verdicts(cells):
    assert cells["lora", "seed_1"]["verdict"] == "agrees"  # 62.3 in [55, 65]
    assert cells["lora", "mean"]["verdict"] == "agrees"
    assert cells["lora", "parameters"]["verdict"] == "differs"
    assert cells["dora", "parameters"]["verdict"] == "agrees"  # 43.647 M is printed as 43.6M
    assert cells["dora", "seed_1"]["verdict"] == "not reported"


def test_nothing_is_judged_at_a_scale_of_stand_ins(table):
    frame = build_cells(table, evidence(), Scope("tiny", False, list(SCORES)))
    assert set(frame["verdict"]) == {"stand-in", "not run", "not reported"}


def test_a_run_of_the_tier_without_results_is_an_error(table):
    with pytest.raises(InputError, match="dora-s2 / hard / avg_at_k"):
        build_cells(table, evidence(), Scope("paper", True, [*SCORES, "dora-s2"]))


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
    assert judge(Estimate(value), parse_printed(text), comparable=True) == verdict


def test_format_count():
    assert [format_count(count) for count in (640, 5_376, 43_646_976, 8_190_735_360)] == [
        "640",
        "5.38K",
        "43.6M",
        "8.19B",
    ]


def test_difference_of_numbers_without_intervals_has_none():
    gap = difference(Estimate(5.0), Estimate(3.0))
    assert gap.value == 2 and math.isnan(gap.low)


def test_estimated_spectra_carry_an_interval():
    summary = summarise_spectra(spectra_frame(std_error=0.3))
    assert summary.loc[("lora-s1", "effective_rank"), "error"] == pytest.approx(math.sqrt(3) * 0.3)


def test_required_inputs_name_only_what_exists(table):
    needed = required_inputs(table, ["lora-s1", "dora-s2", "elsewhere"])
    assert needed.scores == (("dora-s2", "hard"), ("lora-s1", "hard"))
    assert needed.manifests == ("lora-s1",) and needed.spectra == ("lora-s1",)
    assert needed.metrics == () and needed.frozen == ()


def test_required_inputs_of_figures(tmp_path):
    outputs = load_outputs(write_study(tmp_path))
    assert required_inputs(outputs["figure1"], ["lora-s1"]).frozen == ("a", "b")
    assert required_inputs(outputs["figure6"], ["lora-s1"]).metrics == ("lora-s1",)


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
        (changed(rows__key="dora"), "row 'dora' is there twice"),
        (changed(columns__key="mean"), "column 'mean' is there twice"),
        (changed(rows__labels=["LoRA"]), "has 1 labels"),
        (changed(columns__benchmark="hard"), "A score needs 'benchmark'"),
        (changed(columns__statistic="accuracy"), "'accuracy' is not one of"),
        (changed(rows__rnus={}), "rnus"),
        (changed(rows__key="lora-r8"), "row 'lora', column 'mean' has no cell"),
    ],
)
def test_wrong_declarations_are_refused(tmp_path, outputs, message):
    with pytest.raises(InputError, match=message):
        load_outputs(write_study(tmp_path, outputs), SCHEMAS / "outputs.schema.yaml")


def test_a_printed_text_that_is_no_number_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"line 2, column 'mean'.*'7b\.1' is not a number"):
        load_outputs(write_study(tmp_path, reported="row,mean\nlora,7b.1\n"))


def test_runs_outside_the_grid_are_refused(tmp_path):
    outputs = load_outputs(write_study(tmp_path))
    with pytest.raises(InputError, match="row 'dora' names run 'dora-s2'"):
        check_outputs(outputs, ["lora-s1", "lora-s2", "lora-s3", "dora-s1", "dora-s3"], "outputs.yaml")


def test_the_primary_study_names_only_runs_of_its_grid():
    outputs = load_outputs(STUDY / "outputs.yaml", SCHEMAS / "outputs.schema.yaml")
    with (STUDY / "grid.csv").open(newline="") as stream:
        tiers = {line["run_id"]: line["tier"] for line in csv.DictReader(stream)}
    check_outputs(outputs, tiers, STUDY / "outputs.yaml")
    tables, figures = ("1", "4", "5", "10", "11", "13", "16", "S1"), ("1", "2", "3", "4", "5", "6", "S1", "S2", "S3")
    assert list(outputs) == [*(f"table{name}" for name in tables), *(f"figure{name}" for name in figures)]
    core = [run_id for run_id, tier in tiers.items() if tier == "core"]
    assert len(required_inputs(outputs["table4"], core).scores) == 11  # r = 16 serves both readings of alpha
    printed = [outputs[key].reported for key in ("table4", "table10")]
    assert all(table["lora-r128", "accuracy"] == "4.7" for table in printed)
    theirs = [output for output in outputs.values() if output.has_cells and output.source != "ours"]
    assert all(output.reported for output in theirs), "no printed numbers found"
