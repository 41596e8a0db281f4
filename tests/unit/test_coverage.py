"""What was run of what a grid declares, and what it cost."""

import pandas as pd

from rlvr.plan.run_texts import describe_run, setting_text
from rlvr.report.coverage import compute_facts, coverage_groups, output_counts, run_entries, tier_counts

ROWS = [
    {"run_id": "a", "model": "m", "dataset": "d", "method": "lora", "rank": 8, "alpha": 16, "seed": 42, "tier": "core"},
    {"run_id": "b", "model": "m", "dataset": "d", "method": "lora", "rank": 8, "alpha": 16, "seed": 43, "tier": "core"},
    {
        "run_id": "c",
        "model": "m",
        "dataset": "d",
        "method": "full",
        "seed": 42,
        "tier": "full",
        "completions_per_step": 128,
    },
]
RUNS = [describe_run(row, row["tier"] == "core") for row in ROWS]


def manifest(run_id: str, seconds: float, accelerator: float = 0.0, **changes: object) -> dict[str, object]:
    return {
        "run_id": run_id, "settings": {"model": "m", "method": "lora"}, "wall_time_s": seconds, "steps": 20,
        "device": "cpu", "completions_per_step": 64, "peak_memory_gib": {"accelerator": accelerator, "host": 0.5},
        "versions": {"torch": "2"}, "repository": {"commit": None}, "moved_share": 0.25, **changes,
    }  # fmt: skip


def test_settings_are_said_in_the_papers_letters() -> None:
    assert setting_text(ROWS[0]) == "r = 8, \N{GREEK SMALL LETTER ALPHA} = 16"
    assert setting_text({"method": "quanta", "axes": 4, "target_modules": "no_kv", "schedule": "constant"}) == (
        "d = 4, no_kv, constant"
    )
    assert setting_text({"learning_rate": 1e-5, "rank": None, "for": "a reason"}) == "learning_rate = 1e-05"


def test_groups_count_what_is_declared_and_what_was_trained() -> None:
    lora, full = coverage_groups(RUNS, ["a"])
    assert (lora["settings"], lora["declared"], lora["trained"], lora["seeds"]) == ("1", "2", "1", "42")
    assert lora["missing"] == "r = 8, \N{GREEK SMALL LETTER ALPHA} = 16, seed 43"
    assert (full["declared"], full["trained"], full["seeds"]) == ("1", "0", "")
    assert full["missing"] == "as printed, batch 128, seed 42"
    assert tier_counts(RUNS, ["a"]) == [
        {"tier": "core", "declared": "2", "trained": "1"},
        {"tier": "full", "declared": "1", "trained": "0"},
    ]


def test_runs_say_their_state() -> None:
    scores = {"a": {"d": {"avg_at_k": {"value": "50.0", "low": "45.0", "high": "55.0"}}}}
    trained, missing, outside = run_entries(RUNS, [manifest("a", 90)], scores)
    assert (trained["state"], missing["state"], outside["state"]) == ("trained", "not run", "not in this tier")
    assert (trained["minutes"], trained["moved"], trained["memory"]) == ("1.50", "25.00", "0.50")
    assert trained["scores"] == {"d": "50.0 [45.0, 55.0]"} and "scores" not in missing


def test_cost_is_summed() -> None:
    facts = compute_facts([manifest("a", 1800), manifest("b", 1800, accelerator=3.0, moved_share=None)])
    assert facts["total"] == {"runs": "2", "steps": "40", "completions": "2,560", "hours": "1.00", "memory": "3.00"}
    assert facts["groups"] == [{"model": "m", "method": "lora", **facts["total"]}]
    assert facts["versions"] == [{"package": "torch", "version": "2"}] and facts["commits"] == "none"
    assert compute_facts([])["total"]["hours"] == "0.00"


def test_cells_are_counted() -> None:
    cells = pd.DataFrame(
        [("t", "agrees", 1.0), ("t", "not run", 2.0), ("t", "not reported", None), ("u", "not run", None)],
        columns=["output", "verdict", "reported"],
    )
    first, second = output_counts(cells)
    assert first == {"output": "t", "cells": "3", "filled": "2", "printed": "2", "compared": "1"}
    assert second == {"output": "u", "cells": "1", "filled": "0", "printed": "0", "compared": "0"}
