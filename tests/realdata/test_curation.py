"""Curation of real rows: the counts are fixed by files that other people released."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table, sha256_file
from rlvr.data.curation import curate_files, read_source
from rlvr.data.curation_recipe import CurationRecipe
from rlvr.data.fetching import Origin, fetch_source
from rlvr.data.readers import get_reader
from rlvr.data.tabular import TableRows, collect_rows
from rlvr.plan.sources import load_registry
from rlvr.tables import PROBLEMS

REGISTRY = load_registry(Path(__file__).resolve().parents[2] / "data/sources.csv")


@pytest.fixture
def curate_real(real_data, tmp_path):
    """Fetch a source from the mirror and curate it; returns train, eval and card."""

    def run(source: str, **settings):
        rows, provenance = tmp_path / "rows.parquet", tmp_path / "rows.json"
        fetch_source(REGISTRY[source], Origin("mirror", mirror_dir=str(real_data)), rows, provenance)
        defaults = {"minimum_difficulty": None, "eval_problems": "all", "max_train_problems": None, "seed": 0}
        outputs = [tmp_path / name for name in ("train.parquet", "eval.parquet", "card.json")]
        curate_files([rows], [provenance], CurationRecipe(source, **(defaults | settings)), *outputs)
        return read_table(outputs[0], PROBLEMS), read_table(outputs[1], PROBLEMS), read_json(outputs[2])

    return run


def counts(card) -> dict[str, tuple[int, int]]:
    return {count["filter"]: (count["before"], count["after"]) for count in card["counts"]}


def kept(table: list[dict]) -> dict[object, int]:
    return {next(value for key, value in row.items() if key not in ("read", "kept")): row["kept"] for row in table}


def test_deepmath_hard_rows(curate_real):
    train, evaluation, card = curate_real("deepmath-roll", minimum_difficulty=8.5, eval_problems=256)
    assert counts(card)["difficulty >= 8.5"] == (4994, 261)
    assert counts(card)["question not repeated"] == (261, 261)
    assert (len(evaluation), len(train)) == (130, 131)  # fewer than 2 x 256 problems: half are held out
    golds = pd.concat([train, evaluation])["answer"]
    assert golds.value_counts()["Yes"] == 131
    assert kept(card["difficulty"]["bins"])[9.5] == 2
    assert kept(card["answer_types"])["yes/no"] == golds.str.lower().isin(["yes", "no", "true", "false"]).sum()


def test_deepmath_unfiltered_rows(curate_real):
    train, evaluation, card = curate_real("deepmath-roll", eval_problems=256)
    assert counts(card)["question not repeated"] == (4994, 4990)
    assert (len(evaluation), len(train)) == (256, 4734)


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("aime-2024", 30),
        ("aime-2025", 30),
        ("aime-2025-skywork", 30),
        ("math-500", 500),
        ("amc-2023", 40),
        ("hmmt-feb-2025", 30),
        ("minerva", 272),
        ("gsm8k", 1319),
    ],
)
def test_benchmarks_are_read_whole(curate_real, source, rows):
    train, evaluation, card = curate_real(source)
    assert (len(train), len(evaluation)) == (0, rows)
    assert all(before == after for before, after in counts(card).values())


def test_aime_questions_and_answers(curate_real):
    evaluation = curate_real("aime-2025")[1].set_index("problem_id")
    assert evaluation.loc["aime-2025/1", "answer"] == "70"
    assert evaluation.loc["aime-2025/1", "question"].endswith("is a divisor of $97_b.$")
    assert not evaluation["question"].str.contains("boxed").any()
    assert curate_real("aime-2024")[1]["answer"].map(int).between(0, 999).all()


def test_dapo_has_17917_problems_and_17290_distinct_prompts(curate_real, real_data):
    train, evaluation, card = curate_real("dapo-math-17k", repeats="keep", expected_kept=17_917, eval_problems=256)
    assert len(train) + len(evaluation) == 17_917
    assert card["counts"][0] == {"filter": "first row of each extra_info.index", "before": 17_917, "after": 17_917}
    assert card["repeats_kept"] == 732  # normalised; as they stand, 17,290 of the prompts differ
    prompts = pd.read_parquet(real_data / "dapo/svs_dapo_math_17k.parquet")["prompt"]
    assert prompts.map(lambda turns: turns[0]["content"]).nunique() == 17_290
    assert card["deviations"] == []
    assert len(card["conflicting_golds"]) == 12
    assert ["64", "6"] in [entry["golds"] for entry in card["conflicting_golds"]]


def test_dapo_without_repeats(curate_real):
    train, evaluation, card = curate_real("dapo-math-17k", eval_problems=256)
    assert counts(card)["question not repeated"] == (17_917, 17_917 - 732)
    assert pd.concat([train, evaluation])["answer"].str.fullmatch(r"-?\d+").all()


def test_deepscaler_drops_the_problems_without_a_readable_answer(curate_real):
    card = curate_real("deepscaler-1209", eval_problems=256)[2]
    assert counts(card)["answer present"] == (1209, 1208)
    assert counts(card)["gold readable by the grader"] == (1208, 1207)
    assert counts(card)["question not repeated"] == (1207, 1205)


def test_both_copies_of_aime_2025_have_the_same_answers(curate_real, real_data):
    """One source writes 336, the other 336 degrees: equal as read, and to the grader also as they are."""
    from rlvr.grading.grader import grade

    one, two = (
        curate_real(source)[1].set_index("problem_id")["answer"] for source in ("aime-2025", "aime-2025-skywork")
    )
    assert sorted(one) == sorted(two)
    raw = pd.read_parquet(real_data / "benchmarks/aime25_skywork.parquet")["reward_model"]
    differing = [gold for gold in raw.map(lambda model: model["ground_truth"]) if not gold.isdecimal()]
    assert differing == [r"336^\circ"]
    assert grade(r"\boxed{336}", differing[0], "math").verdict == "correct"


def test_math_test_is_kept_whole(curate_real):
    evaluation, card = curate_real("math-test", repeats="keep", expected_kept=5000)[1:]
    assert len(evaluation) == 5000
    assert card["difficulty"]["bins"][-1]["from"] == 5.0


def test_a_published_number_stops_another_copy_with_both_numbers(curate_real):
    with pytest.raises(InputError, match=r"keeps 261 problems, expected 5,399"):
        curate_real("deepmath-roll", minimum_difficulty=8.5, expected_kept=5399)
    card = curate_real("deepmath-roll", minimum_difficulty=8.5, expected_kept=5399, allow_other_count=True)[2]
    assert card["deviations"] == ["261 problems pass the filters, expected 5,399"]


def test_skywork_shape_of_a_real_row(real_data, tmp_path):
    """The one real row at hand, brought to the release's two differences: a JSON list as gold, its data source."""
    row = read_json(real_data / "skywork_or1/layer_train_example.json")
    gold = {"ground_truth": f'["{row["reward_model"]["ground_truth"]}"]', "style": "rule"}
    table = pa.Table.from_pylist([row, row | {"data_source": "train-math-deepscaler", "reward_model": gold}])
    collected = collect_rows([("rows", TableRows(table))], get_reader("skywork"), tmp_path / "rows.parquet", "rows")
    assert (collected.rows, collected.kept) == (2, 1)
    provenance = {"source": "skywork-or1", "reader": "skywork", "files": []}
    problem = read_source(tmp_path / "rows.parquet", provenance, "set").iloc[0]
    assert (problem["problem_id"], problem["answer"], problem["difficulty"]) == ("skywork-or1/2", "15625", 2.0)
    assert problem["question"].startswith("33. How many six-digit numbers")


def test_gold_of_a_solution_equals_the_separate_answer(real_data):
    """MATH-500 holds both: the reader of MATH must find in the solution what stands beside it."""
    from rlvr.data.readers import read_problems

    raw = pd.read_json(real_data / "benchmarks/math500.jsonl", lines=True)
    raw = raw.assign(level="Level " + raw["level"].astype(str), type=raw["subject"])
    problems = read_problems(raw, "math", "math-500", "math-500", "math500.jsonl")
    assert list(problems["answer"]) == list(raw["answer"].str.strip())


def test_math_test_set_is_read_by_the_reader_of_math(real_data):
    from rlvr.data.readers import read_problems

    raw = pd.read_json(real_data / "benchmarks/math_test.jsonl", lines=True)
    problems = read_problems(raw, "math", "math", "math", "math_test.jsonl")
    assert len(problems) == 5000
    assert (problems["answer"] != "").all()
    assert problems["difficulty"].between(1, 5).all()


def test_math_500_mirror_is_the_released_file(real_data):
    source = REGISTRY["math-500"]
    assert sha256_file(real_data / source.mirror_files[0]) == source.sha256[0]
