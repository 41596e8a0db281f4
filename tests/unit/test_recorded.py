"""Finished runs against what is asked for today: what counts, what does not, and what the message says."""

import re

import numpy as np
import pandas as pd
import pytest
from bound_rows import bind_row

from rlvr.core.digests import SAMPLED_FROM, TRAINED_ON, digest_rows
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json, write_table
from rlvr.plan.freshness import deciding_settings, find_differences
from rlvr.plan.settings import TrainSettings
from rlvr.tables import PROBLEMS
from rlvr.train.recorded import check_recorded

ROW = {"run_id": "m_d_lora", "model": "qwen3-8b", "dataset": "math", "method": "lora", "rank": 8, "seed": 42}
PROBLEM = {"dataset": "d", "verifier": "math", "difficulty": np.nan, "topic": "Algebra", "meta": "{}"}
ROWS = pd.DataFrame([PROBLEM | {"problem_id": f"p{n}", "question": f"{n}?", "answer": str(n)} for n in range(3)])


def spec(**cells) -> dict[str, object]:
    return bind_row({**ROW, "alpha": 16, "target_modules": "all_linear", **cells})


def test_the_digest_is_of_content_not_of_bytes(tmp_path):
    for name, compression in (("a", "snappy"), ("b", None)):
        ROWS.to_parquet(tmp_path / f"{name}.parquet", compression=compression)
    one, other = (tmp_path / f"{name}.parquet" for name in "ab")
    assert one.read_bytes() != other.read_bytes()
    assert digest_rows(pd.read_parquet(one), TRAINED_ON) == digest_rows(pd.read_parquet(other), TRAINED_ON)


@pytest.mark.parametrize(
    ("change", "trained", "sampled"),
    [
        ({"topic": "Logic", "difficulty": 9.0}, False, False),
        ({"answer": "7"}, True, False),
        ({"meta": '{"a": 1}'}, True, False),
        ({"question": "other?"}, True, True),
        ({"problem_id": ["x", "y", "z"]}, False, True),
    ],
    ids=["labels", "golds", "records", "questions", "ids"],
)
def test_what_a_run_and_its_samples_depend_on(change, trained, sampled):
    changed = ROWS.assign(**change)
    assert (digest_rows(changed, TRAINED_ON) != digest_rows(ROWS, TRAINED_ON)) == trained
    assert (digest_rows(changed, SAMPLED_FROM) != digest_rows(ROWS, SAMPLED_FROM)) == sampled
    for columns in (TRAINED_ON, SAMPLED_FROM):  # a step's problems are drawn by their place
        assert digest_rows(ROWS.iloc[::-1], columns) != digest_rows(ROWS, columns)


def test_the_digest_does_not_depend_on_where_a_cell_ends():
    one, other = (ROWS.head(1).assign(question=first, answer=second) for first, second in (("ab", "c"), ("a", "bc")))
    assert digest_rows(one, TRAINED_ON) != digest_rows(other, TRAINED_ON)


def test_who_asks_and_how_often_a_run_is_saved_decide_nothing():
    asked = deciding_settings(spec())
    assert deciding_settings(spec() | {"printed": {"model": "Other"}, "checkpoint_every_steps": 1}) == asked
    assert deciding_settings(spec(alpha=32)) != asked
    recorded = TrainSettings.from_json(spec(alpha=32)).to_json()
    assert find_differences(recorded, asked) == ["alpha 4.0 (today 2.0)"]
    del recorded["kl_beta"]  # a manifest of an older version
    assert find_differences(recorded, asked)[1] == "kl_beta not recorded (today 0.0)"


@pytest.fixture
def finished(tmp_path):
    """A finished run with the problems and the base that it was trained on."""
    weights = {"model.safetensors": "1" * 64}
    write_json({"weights_sha256": weights}, tmp_path / "model.json")
    write_table(ROWS, tmp_path / "train.parquet", PROBLEMS)
    inputs = {"train_sha256": digest_rows(ROWS, TRAINED_ON), "base_files": weights}
    recorded = {"run_id": ROW["run_id"], "settings": TrainSettings.from_json(spec()).to_json(), "inputs": inputs}
    write_json(recorded, tmp_path / "run.json")
    return tmp_path


def check(folder, settings=None) -> None:
    paths = (folder / "run.json", folder / "train.parquet", folder)
    check_recorded(*paths, spec() if settings is None else settings, folder / "checked.json")


def test_a_run_of_today_passes(finished):
    check(finished)
    assert read_json(finished / "checked.json")["run_id"] == ROW["run_id"]
    write_table(ROWS.assign(topic="Logic"), finished / "train.parquet", PROBLEMS)
    check(finished)


def test_other_problems_are_refused_with_both_digests(finished):
    changed = ROWS.assign(answer="7")
    write_table(changed, finished / "train.parquet", PROBLEMS)
    with pytest.raises(InputError) as refused:
        check(finished)
    message = str(refused.value)
    digests = [digest_rows(rows, TRAINED_ON) for rows in (ROWS, changed)]
    for words in (*digests, "run.json", "run 'm_d_lora'", "train.parquet", "other problems", "raise recipe_version"):
        assert words in message
    assert not (finished / "checked.json").exists()


def test_other_settings_and_another_base_are_refused(finished):
    with pytest.raises(InputError, match=re.escape("other settings: alpha 2.0 (today 4.0).")):
        check(finished, spec(alpha=32))
    write_json({"weights_sha256": {"model.safetensors": "2" * 64}}, finished / "model.json")
    with pytest.raises(InputError, match=f"another base: .*{'1' * 64}.*{'2' * 64}"):
        check(finished)


def test_a_run_of_before_is_refused_not_taken(finished):
    old = read_json(finished / "run.json")
    write_json({**old, "inputs": {"train_sha256": "0" * 64}}, finished / "run.json")
    with pytest.raises(InputError, match="other problems"):
        check(finished)


def test_the_file_of_triples_grows_with_the_selection_and_decides_nothing():
    one, other = ({"base_files": {"a": "1"}, "decomposition_sha256": digest * 64} for digest in "01")
    assert find_differences(one, other) == []
    assert find_differences(one, {**other, "base_files": {"a": "2"}}) != []
