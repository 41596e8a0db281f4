"""Tables and figures of a small scale name what stands in for a printed model or rank."""

import json
from dataclasses import replace

import pytest
from bound_rows import PRIMARY, ROOT, SCHEMAS, STUDIES, TINY, load_program

from rlvr.plan.facts import load_facts
from rlvr.plan.labels import display_names
from rlvr.plan.outputs import Output, Row
from rlvr.plan.outputs_file import load_outputs
from rlvr.plan.selection import candidates_of
from rlvr.plan.stand_ins import name_stand_ins, name_synthetic_data, replace_pairs
from rlvr.report.figures import OPTIONS


@pytest.fixture(scope="module", params=["tiny", "paper"])
def named(request: pytest.FixtureRequest):
    """The outputs of the primary study at a scale, by key, and the scale's name."""
    program = load_program(request.param, "full")
    study = program.studies[PRIMARY]
    facts = candidates_of(study.rows, study.recipe)
    entries = load_facts(study.folder / "facts.yaml", SCHEMAS / "facts.schema.yaml", facts, study.recipe, ROOT)
    schema = SCHEMAS / "outputs.schema.yaml"
    outputs = load_outputs(study.folder / "outputs.yaml", facts, OPTIONS, schema, facts=entries)
    names = display_names(STUDIES / PRIMARY / "labels.csv")
    models = {names.get(model, model): text for model, text in program.scale.get("stand_ins", {}).items()}
    found = {key: name_stand_ins(output, program.specs, models) for key, output in outputs.items()}
    return request.param, found


def test_models_and_ranks_are_named_twice_at_a_stand_in_scale_only(named) -> None:
    scale, outputs = named
    labels = {row.key: row.labels for key in ("table1", "table4", "table5") for row in outputs[key].rows}
    if scale == "tiny":
        assert labels["qwen"][0] == "Qwen 3 8B (Qwen3 stand-in, 81 K)"
        assert labels["lora-r8"][1] == "r = 8 (here 1)" and labels["lora-r256"][1] == "r = 256 (here 32)"
        assert labels["full"][1] == "all weights"
        assert "Qwen 3 8B [here Qwen3 stand-in, 81 K]" in outputs["table4"].caption
    else:
        assert labels["qwen"][0] == "Qwen 3 8B" and labels["lora-r8"][1] == "r = 8"
        assert "here" not in outputs["table4"].caption


@pytest.mark.parametrize(("origin", "says"), [("synthetic", True), ("hub", False)])
def test_captions_of_data_say_where_its_rows_are_synthetic(origin: str, says: bool) -> None:
    output = Output("figure3", "difficulty", "figure 3", "Difficulty of the problems.", reads={"cards": ("one",)})
    found = name_synthetic_data(output, {"one": {"origin": origin}, "two": {"origin": "synthetic"}})
    assert ("Its rows are synthetic" in found.full_caption) == says
    elsewhere = Output("figure3", "difficulty", "figure 3", "Difficulty.", reads={"cards": ("three",)})
    assert name_synthetic_data(elsewhere, {"two": {"origin": "synthetic"}}) == elsewhere


def shipped_like(model: str) -> str:
    """The shipped base that a model of this scale is made from, or that has its architecture."""
    entry, shipped = TINY["models"][model], {path.parent.name for path in (ROOT / "data/bases").glob("*/model.json")}
    if model in shipped:
        return model
    if "from" in entry:
        return shipped_like(entry["from"])
    return next(each for each in shipped if TINY["models"][each].get("architecture") == entry["architecture"])


def test_the_names_of_the_stand_ins_state_their_parameters() -> None:
    for model, text in TINY["stand_ins"].items():
        parameters = json.loads((ROOT / "data/bases" / shipped_like(model) / "model.json").read_text())["parameters"]
        assert f"{parameters / 1000:.0f} K" in text


def test_a_run_takes_the_place_of_a_pair_and_says_so() -> None:
    rows = (
        Row("public", ("GRPO", "Model A"), {"x": (("a",),)}),
        Row("other", ("GRPO", "Model B"), {"x": (("b",),)}),
        Row("own", ("DAPO", "ours"), {"x": (("run-2",),)}),
    )
    plot = {"curves": [{"series": "rl", "runs": ["a", "b"]}]}
    output = Output("table1", "table", "ours", "c", ("x", "y"), (), rows, {}, plot, {"diagnostics": ("a",)}, ("a", "b"))
    found = replace_pairs(output, {"a": "run-1"})
    assert [row.runs["x"] for row in found.rows] == [(("run-1",),), (("b",),), (("run-2",),)]
    assert [row.labels[-1] for row in found.rows] == ["Model A [here run-1]", "Model B", "ours"]
    assert found.plot["curves"] == [{"series": "rl", "runs": ["run-1", "b"]}]
    assert found.reads == {"diagnostics": ("run-1",)} and found.pairs == ("b",)
    assert "stand in for public checkpoints" in found.caption
    assert replace_pairs(replace(output, plot={}), {"a": "run-1"}).caption == "c"  # a table says it in its rows
    assert replace_pairs(output, {}) == output
