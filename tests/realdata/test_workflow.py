"""Real rows through the rules themselves: fetch, curate, grade golds, sample, grade, score."""

from pathlib import Path

import pandas as pd
import pytest
from conftest import Checkout, copy_code

from rlvr.core.io import read_json

PROBLEMS = {"aime-2024": 30, "aime-2025": 30, "math-500": 500}
CURATED = {
    "deepmath-hard": 261,
    "deepmath-all": 4990,
    "dapo-math-17k": 17_917,
    "deepscaler-1209": 1205,  # one gold of 1,206 lost its last brace
    "math-test": 5000,
    "gsm8k": 1319,
    "amc-2023": 40,
    "hmmt-feb-2025": 30,
    "minerva": 272,
    "aime-2025-skywork": 30,
}


@pytest.fixture(scope="module")
def results(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of results that `make realdata` makes; takes about a minute."""
    checkout: Checkout = copy_code(tmp_path_factory.mktemp("realdata") / "checkout")
    sources = f'sources={{origin: mirror, mirror_dir: "{real_data}"}}'
    checkout.run("real_rows", "--config", "scale=realdata", "studies=[]", sources)
    return checkout.root / "results" / "realdata"


def counts(results: Path, dataset: str) -> dict[str, tuple[int, int]]:
    card = read_json(results / "data" / dataset / "card.json")
    return {step["filter"]: (step["before"], step["after"]) for step in card["counts"]}


def test_difficulty_keeps_261_of_4994(results: Path) -> None:
    found = counts(results, "deepmath-hard")
    assert next(iter(found.values()))[0] == 4994
    assert found["difficulty >= 8.5"][1] == 261


def test_repeated_prompts_leave_4990(results: Path) -> None:
    assert list(counts(results, "deepmath-all").values())[-1] == (4994, 4990)


def test_the_cards_check_every_benchmark_and_find_math_500_whole_in_the_test_set_of_math(results: Path) -> None:
    checks = read_json(results / "data" / "math-test" / "checks.json")["contamination"]
    shared = {line["benchmark"]: (line["problems"], line["same_text"]) for line in checks["benchmarks"]}
    assert shared["math-500"] == (500, 500)
    assert "math-test" not in shared
    checks = read_json(results / "data" / "dapo-math-17k" / "checks.json")["contamination"]
    assert {line["benchmark"] for line in checks["benchmarks"]} == {*shared, "math-test"}


def test_the_one_gold_that_cannot_be_read_is_taken_out_and_named(results: Path) -> None:
    (taken_out,) = read_json(results / "data" / "deepscaler-1209" / "card.json")["taken_out"]
    assert taken_out["problem_id"] == "deepscaler-1209/1187"
    assert "unbalanced braces" in taken_out["reason"]
    summary = read_json(results / "data" / "golds.json")
    assert summary["failed"] == []
    assert summary["datasets"] == {name: {"problems": n, "correct": n} for name, n in {**CURATED, **PROBLEMS}.items()}


def test_form_feeds_of_a_release_stay_and_are_counted(results: Path) -> None:
    checks = read_json(results / "data" / "dapo-math-17k" / "checks.json")
    assert checks["odd_characters"] == {"control_characters": 643, "direction_marks": 0}


def test_a_tiny_base_goes_through_sampling_grading_and_scoring(results: Path) -> None:
    folder = results / "evaluate" / "qwen3-8b_base" / "all"
    samples, scores = (pd.read_parquet(folder / f"{name}.parquet") for name in ("samples", "scores"))
    assert samples.groupby("benchmark").size().to_dict() == {name: 2 * n for name, n in PROBLEMS.items()}
    for benchmark, row in scores[scores["statistic"] == "avg_at_k"].set_index("benchmark").iterrows():
        assert (row["k"], row["n_problems"]) == (2, PROBLEMS[benchmark])
        assert row["value"] < 0.1  # it cannot know better
        assert row["wrong_share"] + row["unparsed_share"] + row["value"] == pytest.approx(1)
