"""What a launch costs, against arithmetic by hand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from bound_rows import load_program

from rlvr.bases.architectures import tiny_shapes
from rlvr.core.errors import InputError
from rlvr.data.readers import READERS
from rlvr.plan.launch import COLUMNS, Launch, check_budget, plan_text, printed_rates, selected_rows, write_plan
from rlvr.plan.shapes import model_shapes
from rlvr.plan.sources import load_registry

ROOT = Path(__file__).resolve().parents[2]
HOURS = ROOT / "workflow/studies/structure-over-scale/reported/table12.csv"
RUN = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"


def make_launch(results: Path, **changes: object) -> Launch:
    program = replace(load_program("paper", "core"), **changes)
    shapes = model_shapes(program.scale["models"], tiny_shapes(), ROOT / "data" / "configs")
    return Launch(program, shapes, load_registry(ROOT / "data" / "sources.csv", READERS), results, HOURS)


def test_the_printed_hours_come_back(tmp_path: Path) -> None:
    """A run of table 12 costs what table 12 prints: LoRA's mean of 13.1 and 12.4 hours on four cards, 642 steps."""
    launch = make_launch(tmp_path)
    shape = launch.shapes["qwen3-8b"]
    rates = printed_rates(HOURS, shape)
    assert set(rates) == {"lora", "dora", "quanta"}
    seconds = rates["lora"] * 642 * 64 * shape.parameters / 1e9
    assert seconds / 3600 == pytest.approx(4 * (13.1 + 12.4) / 2, rel=1e-3)
    cost = launch.cost(RUN)
    assert cost is not None
    sampling = launch.sampled_tokens(RUN) / 2500 * shape.parameters / 8e9 / 3600
    assert cost.hours[0] - sampling == pytest.approx(4 * 12.75, rel=2e-3)
    assert cost.hours[1] < cost.hours[0] < cost.hours[2]
    assert cost.path == pytest.approx(12.75 + sampling, rel=2e-3)


def test_tokens_are_those_of_the_protocol(tmp_path: Path) -> None:
    launch = make_launch(tmp_path)
    study = launch.program.studies["structure-over-scale"]
    how = study.benchmarks
    own = 256 * how["deepmath-hard"]["samples_per_problem"] * how["deepmath-hard"]["max_completion_tokens"]
    others = 60 * how["aime-2025-2026"]["samples_per_problem"] * how["aime-2025-2026"]["max_completion_tokens"]
    assert launch.sampled_tokens(RUN) == pytest.approx((own + others) / 2)


def test_a_finished_run_costs_nothing_more_and_says_what_its_like_cost(tmp_path: Path) -> None:
    path = tmp_path / "train" / RUN / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"steps": 642, "wall_time_s": 3600.0, "resumed_from_step": None}))
    launch = make_launch(tmp_path)
    assert launch.is_trained(RUN)
    done, like = launch.cost(RUN), launch.cost(RUN.replace("r8", "r16"))
    assert done is not None and like is not None
    assert like.measured
    assert like.hours[0] - done.hours[0] == pytest.approx(4.0, rel=1e-3)


def test_a_resumed_run_says_nothing_about_the_time_of_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "train" / RUN / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"steps": 642, "wall_time_s": 36.0, "resumed_from_step": 600}))
    assert not make_launch(tmp_path).rates.measured


def test_every_tier_has_a_row_and_divided_runs_are_counted(tmp_path: Path) -> None:
    launch = make_launch(tmp_path)
    rows = {row["tier"]: row for row in launch.rows()}
    assert list(rows) == ["core", "full", "all"]
    assert rows["core"]["runs"] < rows["full"]["runs"] < rows["all"]["runs"]
    assert (rows["core"]["unfit"], rows["core"]["divided"]) == (0, 6)
    assert 100 < rows["core"]["host_gib"] < 250
    assert rows["core"]["needed_gib"] <= rows["core"]["card_gib"]
    text = write_plan(list(rows.values()), ["base 'x' is not here yet"], str(tmp_path / "plan"))
    assert "missing: base 'x'" in text
    assert (tmp_path / "plan.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    assert max(map(len, text.splitlines())) < 160
    assert "GPU-hours" in plan_text(rows.values(), [])


def test_a_budget_stops_a_launch_with_both_numbers(tmp_path: Path) -> None:
    row = make_launch(tmp_path).row("structure-over-scale", "core")
    check_budget([row], {"gpu_hours": 0, "storage_gib": 0}, "config.yaml")
    check_budget([row], {"gpu_hours": row["missing_gpu_hours"] + 1, "storage_gib": 0}, "config.yaml")
    with pytest.raises(InputError, match=r"budget.gpu_hours.*the budget is 100 \(structure-over-scale"):
        check_budget([row], {"gpu_hours": 100, "storage_gib": 0}, "config.yaml")
    with pytest.raises(InputError, match=r"budget.storage_gib.*GiB"):
        check_budget([row], {"gpu_hours": 0, "storage_gib": 1}, "config.yaml")


def test_the_tier_of_finished_runs_has_these_and_no_others(tmp_path: Path) -> None:
    (row,) = selected_rows(make_launch(tmp_path, tier="finished", finished=frozenset({RUN})))
    assert (row["tier"], row["runs"], row["unfit"]) == ("finished", 1, 0)
    (none,) = selected_rows(make_launch(tmp_path, tier="finished", finished=frozenset()))
    assert (none["runs"], none["missing_gpu_hours"], none["storage_gib"]) == (0, 0.0, 0.0)
    check_budget([none], {"gpu_hours": 1e-9, "storage_gib": 1e-9}, "config.yaml")


def test_a_sampled_run_is_sampled_in_every_tier(tmp_path: Path) -> None:
    """A run of tier `full` has suites of its own, whichever tier is selected today."""
    core = make_launch(tmp_path)
    taken = core.program.scale["tiers"]["core"]
    rows = core.program.studies["structure-over-scale"].rows
    other = next(run_id for run_id, row in rows.items() if row["tier"] not in taken)
    for run_id in (RUN, other):
        assert not core.is_sampled(run_id)
        suites = replace(core.program, tier="all").run_suites(run_id)
        for suite in suites:
            path = tmp_path / "evaluate" / run_id / suite / "samples.json"
            path.parent.mkdir(parents=True)
            path.write_text("{}")
        for tier in ("core", "full", "all", "finished"):
            assert make_launch(tmp_path, tier=tier).is_sampled(run_id)
        (tmp_path / "evaluate" / run_id / next(iter(suites)) / "samples.json").unlink()
        assert not make_launch(tmp_path, tier="all").is_sampled(run_id)


def test_nothing_is_nothing_in_a_budget_and_hours_are_no_gibibytes() -> None:
    row = {"study": "s", "missing_gpu_hours": 0.0, "high": 900.0, "storage_gib": 0.0}
    check_budget([row], {"gpu_hours": 1, "storage_gib": 1}, "config.yaml")
    unknown = {**row, "missing_gpu_hours": None}
    with pytest.raises(InputError, match=r"need 900 GPU-hours more, the budget is 800 \(s 900\)"):
        check_budget([unknown], {"gpu_hours": 800, "storage_gib": 0}, "config.yaml")
    check_budget([unknown], {"gpu_hours": 0, "storage_gib": 1}, "config.yaml")


def test_printed_hours_are_read_as_every_printed_number(tmp_path: Path) -> None:
    shape = make_launch(tmp_path).shapes["qwen3-8b"]
    path = tmp_path / "table12.csv"
    path.write_text("row,hours\nlora-r8,~12\nlora-r16,\ndora-r8,12.0\n")
    rates = printed_rates(path, shape)
    assert rates == {"lora": rates["dora"], "dora": rates["dora"]}
    path.write_text("row,hours\nlora-r8,twelve\n")
    with pytest.raises(InputError, match=r"table12\.csv.*'twelve'"):
        printed_rates(path, shape)
    path.write_text("row,hours\nlora-r8,\n")
    with pytest.raises(InputError, match="no row has a number in the column 'hours'"):
        printed_rates(path, shape)


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train" / RUN / "run.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"run\.json: not valid JSON"):
        make_launch(tmp_path)
