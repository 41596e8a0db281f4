"""The same curation on real rows: counts that somebody else's files fix."""

from pathlib import Path

import pandas as pd
import pytest

from rlvr.core.io import read_json, read_table, sha256_file
from rlvr.data.curation import CurationRecipe, curate_files
from rlvr.data.registry import load_registry
from rlvr.data.sources import Origin, fetch_source
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


@pytest.mark.parametrize(("source", "rows"), [("aime-2024", 30), ("aime-2025", 30), ("math-500", 500)])
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
