"""Runs that differ in their seed only, families, and what a paper prints about its seeds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_study import BASES, GRID, OUTPUTS, SCORES, answer_frame, evidence, load_study, write_study

from rlvr.core.errors import InputError
from rlvr.plan.outputs import Column, required_inputs
from rlvr.plan.selection import run_facts
from rlvr.plan.siblings import among, families, printed_spreads, relatives, seeds_of, siblings
from rlvr.report.comparing import draw
from rlvr.report.evidence import index_answers
from rlvr.report.measurements import draw_cell, measure
from rlvr.report.scope import ReportScope

FACTS = run_facts({run_id: {**row, "model": "base", "dataset": "hard"} for run_id, row in GRID.items()})


def scope() -> ReportScope:
    facts = {run_id: FACTS[run_id] for run_id in SCORES}
    return ReportScope("paper", True, list(SCORES), seeds=seeds_of(facts, SCORES), siblings=siblings(facts))


def test_siblings_differ_in_their_seed_only() -> None:
    found = siblings(dict(reversed(FACTS.items())))
    assert found["lora-s2"] == found["lora-s1"] == ("lora-s1", "lora-s2", "lora-s3")
    other = {**FACTS, "lora-s3": {**FACTS["lora-s3"], "rank": 16}, "lora-s2": {**FACTS["lora-s2"], "tier": "full"}}
    assert siblings(other)["lora-s1"] == ("lora-s1", "lora-s2") and siblings(other)["lora-s3"] == ("lora-s3",)


def test_relatives_are_siblings_and_seeded_runs_of_the_family() -> None:
    single = {run_id: facts for run_id, facts in FACTS.items() if not run_id.startswith("dora-s")}
    single["lora-r16"] = {**FACTS["lora-s1"], "rank": 16}
    found = relatives(single)
    assert found["lora-r16"] == ("lora-r16", "lora-s1", "lora-s2", "lora-s3")
    assert found["lora-s1"] == ("lora-s1", "lora-s2", "lora-s3")
    assert set(families(FACTS).values()) == {"base hard lora", "base hard dora"}
    both = ["lora-s1", "lora-s3"]
    assert among(siblings(FACTS), both) == {"lora-s1": both, "lora-s3": both}


def test_relatives_are_read_beside_the_runs_of_a_cell(tmp_path) -> None:
    columns = [{**OUTPUTS["table1"]["columns"][2], "key": "seed_1"}]
    outputs = {"table1": {**OUTPUTS["table1"], "columns": columns}}
    table = load_study(write_study(tmp_path, outputs, reported="row\n"))["table1"]
    assert required_inputs(table, BASES)["answers"] == (("dora-s1", "hard"), ("lora-s1", "hard"))
    beside = required_inputs(table, BASES, relatives=relatives(FACTS))
    wanted = tuple((run_id, "hard") for run_id in ("dora-s1", "lora-s1", "lora-s2", "lora-s3"))
    assert beside["answers"] == beside["scores"] == wanted  # dora-s2 and dora-s3 are not in the tier


def test_printed_deviations_are_pooled_by_family(tmp_path) -> None:
    reported = "row,std\nlora,6.0\ndora,8.0\n"
    outputs = load_study(write_study(tmp_path, reported=reported))
    found = printed_spreads([*outputs.values(), *outputs.values()], FACTS)  # a repeated table counts once
    assert found["lora-s1"] == found["lora-s3"] == (36.0, 2) and found["dora-s2"] == (64.0, 2)
    others = {**FACTS, "full": {**FACTS["lora-s1"], "method": "full"}, "far": {**FACTS["lora-s1"], "model": "other"}}
    pooled = printed_spreads(outputs.values(), others)
    assert pooled["full"] == pooled["far"] == (50.0, 4)
    assert printed_spreads(load_study(write_study(tmp_path)).values(), FACTS) == {}


def test_a_cell_stands_for_all_seeds_of_its_configuration(tmp_path) -> None:
    columns = [column for column in OUTPUTS["table1"]["columns"] if column["key"] != "rank"]
    table = load_study(write_study(tmp_path, {"table1": {**OUTPUTS["table1"], "columns": columns}}))["table1"]
    cells = {(table.key, row.key, column.key): (row, column) for row, column in table.cells()}
    drawn = {place: draw_cell(*cell, evidence(), scope()) for place, cell in cells.items()}
    one = drawn["table1", "lora", "seed_1"]
    assert one.seeds == 3 and one.value == pytest.approx(70)
    assert drawn["table1", "lora", "mean"].estimate == one.estimate
    assert drawn["table1", "dora", "seed_1"].seeds == 1
    counted = drawn["table1", "lora", "parameters"]
    assert counted.seeds is None and counted.value == 5_376
    assert drawn["table1", "lora", "std"].value == pytest.approx(10) and drawn["table1", "lora", "std"].seeds == 3
    gap = drawn["table1", "lora", "gap"]
    assert gap.value == 0 and not gap.draws_B.any()  # both sides are the same configuration
    row, column = table.rows[0], table.columns[1]
    assert draw_cell(row, column, evidence(), scope(), over_seeds=False).value == pytest.approx(60)


def test_runs_on_other_problems_are_not_paired_in_silence() -> None:
    answers = answer_frame()
    answers.loc[(answers["run_id"] == "lora-s2") & (answers["problem_id"] == "p007"), "problem_id"] = "q007"
    found = evidence()
    changed = type(found)(found.scores, found.manifests, found.spectra, answers=index_answers(answers))
    column = Column("x", ("X",), "avg_at_k", benchmarks=("hard",))
    with pytest.raises(InputError, match=r"lora-s2.*other problems of 'hard' than lora-s1"):
        measure(["lora-s1", "lora-s2"], column, changed, {})
    assert draw(measure(["lora-s1", "lora-s3"], column, changed, {})).seeds == 2


@given(st.lists(st.lists(st.integers(0, 30), max_size=5, unique=True), max_size=6), st.sets(st.integers(0, 40)))
def test_groups_among_names_are_those_of_the_slow_way(groups, names):
    shared = {str(each): tuple(map(str, group)) for group in groups for each in group}
    chosen = set(map(str, names))
    slow = {name: [each for each in shared[name] if each in chosen] for name in chosen if name in shared}
    assert among(shared, chosen) == slow
