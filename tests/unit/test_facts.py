"""Facts of a protocol: looked up, never typed; each with a verdict and a tag."""

import json
from pathlib import Path

import pytest

from rlvr.core.errors import InputError
from rlvr.plan.facts import Fact, load_facts, look_up, read_pins
from rlvr.plan.outputs import Output, used_runs
from rlvr.plan.verdict_words import FactVerdict
from rlvr.report.fact_tables import tabulate_facts
from rlvr.report.facts import fact_verdict, judge_fact, plain, same_as_printed
from rlvr.report.scope import ReportScope

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "workflow/schemas/facts.schema.yaml"
RUNS = {
    "lora-r8": {"method": "lora", "rank": 8, "seed": 1},
    "lora-r16": {"method": "lora", "rank": 16, "seed": 1},
    "full": {"method": "full", "rank": None, "seed": 1},
}
RECIPE = {"group_size": 8, "learning_rate": {"default": 1e-5}}


def write(folder, text, printed="row,printed\n"):
    """``facts.yaml`` with its printed texts; loads them."""
    (folder / "reported").mkdir(exist_ok=True)
    (folder / "reported" / "table8.csv").write_text(printed)
    (folder / "facts.yaml").write_text(text)
    return load_facts(folder / "facts.yaml", SCHEMA, RUNS, RECIPE, ROOT)


def test_values_come_from_where_they_are_configured(tmp_path):
    entries = write(
        tmp_path,
        """
table8:
  - {key: group, labels: Group size, means: 8, configured: recipe/group_size, recorded: settings/group_size}
  - {key: rate, labels: Rate, means: 1.0e-5, configured: recipe/learning_rate/default}
  - {key: vocabulary, labels: Vocabulary, configured: base/qwen3-8b/vocab_size}
  - {key: dims, labels: Dims, means: [16, 16, 16], configured: scale/quanta_dims/3}
  - {key: ranks, labels: Ranks, means: [8, 16], configured: grid/rank, where: {method: lora}}
""",
        "row,printed\ngroup,8 generations\nvocabulary,152K\n",
    )["table8"]
    facts = {entry["key"]: entry for entry in entries}
    assert facts["group"]["configured"] == 8 and facts["group"]["printed"] == "8 generations"
    assert facts["rate"]["configured"] == 1e-5 and facts["rate"]["printed"] == ""
    assert (
        facts["vocabulary"]["configured"] == json.loads((ROOT / "data/configs/qwen3-8b.json").read_text())["vocab_size"]
    )
    assert facts["dims"]["configured"] == [16, 16, 16]
    assert facts["ranks"]["configured"] == [8, 16] and facts["ranks"]["runs"] == ("lora-r8", "lora-r16")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("configured: recipe/gruop_size", r"fact 'x'.*path 'recipe/gruop_size' has no 'gruop_size'.*group_size"),
        ("configured: recipe/group_size/deeper", "has no 'deeper'.*nothing below it"),
        ("configured: grid/colour", "the grid has no column 'colour'"),
        ("where: {method: dora}", "no row of the grid has method 'dora'. Values: lora, full"),
        ("where: {method: [lora, dora]}", "no row of the grid has method 'dora'"),
        ("where: {method: [lora, {a: b}]}", "'where' is"),
        ("recorded: settings/gruop_size", "'settings' of run.json has no 'gruop_size'"),
        ("recorded: setting/group_size", "run.json has no 'setting'"),
        ("recorded: versions/torhc", "'versions' of run.json has no 'torhc'"),
        ("means: {a: b}", "key 'table8.0.means'"),
        ("means: null", "key 'table8.0.means'"),
        ("counted: [table 3 | FFT | none]", "parameters.csv"),
        ("where: {colour: red}", "selects by 'colour'"),
        ("configured: recipe/group_size", "without 'means' its printed text must be a number"),
        ("counts: 3", "counts"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, entry, message):
    with pytest.raises(InputError, match=message):
        write(tmp_path, f"table8:\n  - {{key: x, labels: X, {entry}}}\n", "row,printed\nx,eight\n")


def test_a_printed_text_without_a_fact_is_refused(tmp_path):
    with pytest.raises(InputError, match="row 'y' belongs to no fact"):
        write(tmp_path, "table8:\n  - {key: x, labels: X, means: a}\n", "row,printed\ny,eight\n")


def test_pins_are_read_without_extras():
    pins = read_pins(ROOT / "envs/train-gpu.yaml")
    assert pins["python"].startswith("3.") and "math-verify" in pins and pins["torch"][0].isdigit()
    assert look_up({"pins": {"a": pins}}, "pins/a/torch", "here") == pins["torch"]


CASES = [
    (Fact("a", ("A",), "8", means=8, configured=8), [8, 8], False, FactVerdict.AGREES),
    (Fact("a", ("A",), "8", means=8, configured=8), [], False, FactVerdict.AGREES),
    (Fact("a", ("A",), "8", means=8, configured=8), [8, 1], False, FactVerdict.HERE),
    (Fact("a", ("A",), "8", means=8, configured=8), [8, 1], True, FactVerdict.DEVIATES),
    (Fact("a", ("A",), "8", means=8, configured=4), [8], False, FactVerdict.DEVIATES),
    (Fact("a", ("A",), "8", means=8), [4], False, FactVerdict.DEVIATES),
    (Fact("a", ("A",), "", configured=4), [4], False, FactVerdict.NOT_PRINTED),
    (Fact("a", ("A",), "Ubuntu"), [], False, FactVerdict.NOT_RECORDED),
    (Fact("a", ("A",), "Axolotl", tag="DEVIATION"), [], False, FactVerdict.DEVIATES),
]


@pytest.mark.parametrize(("fact", "recorded", "comparable", "verdict"), CASES)
def test_verdicts(fact, recorded, comparable, verdict):
    assert fact_verdict(fact, recorded, comparable) == verdict


@pytest.mark.parametrize(
    ("value", "printed", "means", "same"),
    [
        (131072, "131K", None, True),
        (151936, "150K", None, False),
        (0.15, "0.15", None, True),
        (1e-5, "1 x 10^-5", 1e-5, True),
        ([16, 8], "[16, 8]", [16, 8], True),
        ([16, 8, 8], "[16, 8]", [16, 8], False),
        ("none", "false (raw scores)", "none", True),
        ("2.13.0", "PyTorch 2.9.0", "2.9.0", False),
        (True, "1", 1, False),
    ],
)
def test_values_are_compared_as_what_they_mean(value, printed, means, same):
    assert same_as_printed(value, Fact("a", ("A",), printed, means=means)) is same


def test_a_value_is_written_as_a_reader_would():
    assert [plain(value) for value in (1e-5, 7168, [16, 8], False, 0.1, 64, "x")] == [
        "1e-5", "7,168", "[16, 8]", "no", "0.1", "64", "x",
    ]  # fmt: skip


COUNT = {"printed": "43.6M", "unit": "parameters", "trainable_parameters": 43_646_976, "base_parameters": 8_190_735_360}


def test_a_count_is_printed_and_judged_in_one():
    fact = Fact("a", ("A",), counted=("table 9 | LoRA | m",))
    line = judge_fact(fact, {}, {"table 9 | LoRA | m": COUNT}, False)
    assert (line.printed, line.configured, line.verdict) == ("43.6M", "43,646,976", FactVerdict.AGREES)
    wrong = judge_fact(fact, {}, {"table 9 | LoRA | m": {**COUNT, "printed": "180M"}}, False)
    assert wrong.verdict == FactVerdict.DEVIATES


def test_a_table_of_facts_says_what_its_words_mean_and_each_reason_once(tmp_path):
    reason = {"why": "for a reason"}
    facts = [
        {"key": "a", "printed": "8", "means": 8, "configured": 8, "recorded": "settings/rank", "runs": ("run",)},
        {"key": "b", "printed": "9", "means": 9, "configured": 9},
    ]
    facts = [{**fact, **reason, "labels": ("LoRA", "Rank")} for fact in facts]
    output = Output("table8", "facts", "table 8", "Caption.", ("Method", "Setting"), plot={"facts": facts})
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"run_id": "run", "settings": {"rank": 1}}))
    frame, table = tabulate_facts(output, ReportScope("tiny", False, ["run"]), {"manifests": [str(path)]}, [])
    assert frame["verdict"].tolist() == ["deviates at this scale", "agrees"] and frame["recorded"].tolist() == ["1", ""]
    assert table.columns[0].texts == ["LoRA", ""] and table.columns[1].texts == ["Rank", "Rank"]
    assert table.notes == [
        "Deviates at this scale: configured as printed, and another value in the runs of this scale.",
        "Rank: for a reason.",
    ]
    assert used_runs([output]) == set()
