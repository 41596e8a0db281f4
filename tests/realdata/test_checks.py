"""Cross-checks on real rows: numbers that somebody else's files fix."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rlvr.data.curation import curate, read_source
from rlvr.data.curation_recipe import CurationRecipe
from rlvr.data.dataset_checks import CheckSettings, check_dataset, check_golds, find_contamination
from rlvr.data.fetching import Origin, fetch_source
from rlvr.data.inspection import count_answer_types, count_duplicates
from rlvr.data.readers import get_reader, read_problems
from rlvr.plan.sources import load_registry

REGISTRY = load_registry(Path(__file__).resolve().parents[2] / "data/sources.csv")
BENCHMARKS = {  # problems, and how many of their golds the grader cannot read
    "math-500": (500, 0),
    "math-test": (5000, 0),
    "gsm8k": (1319, 0),
    "aime-2024": (30, 0),
    "aime-2025": (30, 0),
    "aime-2025-skywork": (30, 0),
    "amc-2023": (40, 0),
    "hmmt-feb-2025": (30, 0),
    "minerva": (272, 0),
}


@pytest.fixture
def problems_of(real_data, tmp_path):
    """All problems of a source's mirror file."""

    def read(name: str) -> pd.DataFrame:
        rows, provenance = tmp_path / f"{name}.parquet", tmp_path / f"{name}.json"
        fetch_source(REGISTRY[name], Origin("mirror", mirror_dir=str(real_data)), rows, provenance)
        reader = REGISTRY[name].mirror_reader or REGISTRY[name].reader
        return read_source(rows, {"reader": reader, "source": name, "files": []}, name)

    return read


@pytest.mark.parametrize("name", BENCHMARKS)
def test_golds_of_every_benchmark(problems_of, name):
    problems, unreadable = BENCHMARKS[name]
    found = check_golds(problems_of(name))
    assert (found["problems"], len(found["unreadable"])) == (problems, unreadable)


def test_a_broken_gold_of_a_real_training_set_is_listed(problems_of):
    """One answer of the 1,209 DeepScaleR rows lost its last brace; curation has dropped those without an answer."""
    problems = problems_of("deepscaler-1209")
    (broken,) = check_golds(problems[problems["answer"] != ""])["unreadable"]
    assert broken["problem_id"] == "deepscaler-1209/1187"
    assert "unbalanced braces" in broken["problem"]


def test_about_half_of_the_hard_deepmath_golds_are_yes(problems_of):
    problems = problems_of("deepmath-roll")
    recipe = CurationRecipe("hard", 8.5, eval_problems="all", max_train_problems=None, seed=0)
    hard = curate(problems, recipe, get_reader("roll").sentinels).kept
    types = {line["type"]: line["problems"] for line in count_answer_types(hard["answer"])}
    assert types == {
        "yes/no": 169, "expression": 48, "integer": 36, "single letter": 4, "decimal or fraction": 3, "text": 1,
    }  # fmt: skip
    assert (hard["answer"] == "Yes").sum() == 131
    assert check_golds(hard)["readable"] == 261


def test_math_500_is_found_whole_in_the_test_set_of_math(problems_of):
    train, benchmark = problems_of("math-test"), problems_of("math-500")
    (found,) = find_contamination(train, {"math-500": benchmark})["benchmarks"]
    assert (found["problems"], found["same_text"]) == (500, 500)


@pytest.mark.parametrize(
    ("source", "shared"),
    [
        ("deepmath-roll", {"math-500": 9, "aime-2024": 5, "aime-2025": 10, "amc-2023": 0, "gsm8k": 0}),
        ("deepscaler-1209", {"math-500": 6, "aime-2024": 8, "aime-2025": 3, "amc-2023": 11, "gsm8k": 0}),
    ],
)
def test_training_sets_share_phrases_with_benchmarks_but_no_problem(problems_of, source, shared):
    """Overlaps are set phrases ("m and n are relatively prime positive ...") and variants, no whole text."""
    found = find_contamination(problems_of(source), {name: problems_of(name) for name in shared})["benchmarks"]
    assert {line["benchmark"]: line["shared_ngram"] for line in found} == shared
    assert all(line["same_text"] == 0 for line in found)


def test_dapo_problems_and_prompts(real_data):
    """17,290 different prompts; 35 of them differ from another in the white space around it only."""
    raw = pd.read_parquet(real_data / "dapo/svs_dapo_math_17k.parquet")
    prompts = raw["prompt"].map(lambda turns: turns[0]["content"])
    assert (len(raw), prompts.nunique()) == (17_917, 17_290)
    columns = {
        "prompt": raw["prompt"],
        "reward_model.ground_truth": raw["reward_model"].map(lambda model: model["ground_truth"]),
        "extra_info.index": raw["extra_info"].map(lambda extra: extra["index"]).astype(str),
    }
    problems = read_problems(pd.DataFrame(columns), "dapo", "dapo", "dapo", "svs_dapo_math_17k.parquet")
    assert (len(problems), problems["question"].nunique()) == (17_917, 17_290 - 35)
    duplicates = count_duplicates(problems)
    assert duplicates["repeated_ids"] == 0
    assert duplicates["repeated_questions"] >= 17_917 - 17_290 + 35


def test_the_two_copies_of_aime_2025_agree_after_normalisation(problems_of):
    first, second = problems_of("aime-2025"), problems_of("aime-2025-skywork")
    assert list(first["answer"]) == list(second["answer"])


def test_every_check_of_a_real_set(problems_of):
    problems = problems_of("aime-2024")
    settings = CheckSettings("aime-2024", "qwen3-8b", {"kind": "pretrained"}, "compact", 64)
    checks = check_dataset(problems.iloc[:15], problems.iloc[15:], {"aime-2024": problems.iloc[15:]}, settings)
    assert checks["tokens"]["longer"] == 30 and checks["tokens"]["longest"] > 200
    generous = check_dataset(problems, problems.iloc[:0], {}, replace(settings, max_prompt_tokens=5000))
    assert generous["tokens"]["longer"] == 0
