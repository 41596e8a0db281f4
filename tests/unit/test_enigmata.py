"""Enigmata's rows: every way of writing a record decodes to the same one, unknown tasks and broken records stop."""

import json
from pathlib import Path

import pandas as pd
import pytest

from rlvr.core.errors import InputError
from rlvr.core.io import read_json
from rlvr.data.curation import curate_files, read_source
from rlvr.data.curation_recipe import CurationRecipe
from rlvr.data.fetching import Origin, fetch_source
from rlvr.data.readers import read_problems
from rlvr.data.readers.enigmata import SHARED_TASKS, TASKS, TRAIN_ONLY_TASKS, decode_record
from rlvr.plan.sources import Source

RECORD = {"question": [6, 11, 15], "difficulty_level": "hard", "task_name": "game24", "note": "5"}
NESTED = {**RECORD, "question": json.dumps(RECORD["question"])}


@pytest.mark.parametrize(
    "meta", [RECORD, json.dumps(RECORD), json.dumps(json.dumps(RECORD)), NESTED, json.dumps(NESTED)]
)
def test_every_way_of_writing_a_record_decodes_to_the_same(meta: object) -> None:
    assert decode_record(meta) == RECORD


@pytest.mark.parametrize("meta", ["[1, 2]", "no JSON", "[" * 100_000, 3])
def test_what_is_no_record_is_none(meta: object) -> None:
    assert decode_record(meta) is None


def test_there_are_38_tasks_in_train_and_36_in_eval() -> None:
    assert len(TASKS) == 39
    assert len(SHARED_TASKS) == 35
    assert len(SHARED_TASKS) + len(TRAIN_ONLY_TASKS) == 38


def frame(**changes: object) -> pd.DataFrame:
    row = {"prompt": " Make 24. ", "answer": "1", "task_name": "game24", "difficulty": "easy", "meta": "{}"}
    return pd.DataFrame([{**row, **changes}])


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, 1.0),
        ({"meta": json.dumps({"difficulty": "Medium"})}, 2.0),
        ({"meta": json.dumps({"difficulty": "easy", "difficulty_level": "hard"})}, 3.0),
    ],
)
def test_the_record_goes_before_the_column(changes: dict[str, object], level: float) -> None:
    problems = read_problems(frame(**changes), "enigmata", "enigmata-data", "enigmata-10k", "file")
    assert problems["difficulty"].tolist() == [level]
    assert problems[["topic", "verifier", "question"]].iloc[0].tolist() == ["game24", "enigmata/game24", "Make 24."]


@pytest.mark.parametrize("label", ["unknown", None, "naive"])
def test_other_labels_are_no_level(label: str | None) -> None:
    problems = read_problems(frame(difficulty=label), "enigmata", "enigmata-data", "enigmata-10k", "file")
    assert problems["difficulty"].isna().all()


@pytest.mark.parametrize(("answer", "stored"), [(" 1 0\n", " 1 0\n"), (" \n", ""), (None, "")])
def test_blank_answers_are_none_and_others_stay_as_they_are(answer: str | None, stored: str) -> None:
    problems = read_problems(frame(answer=answer), "enigmata", "enigmata-data", "enigmata-10k", "file")
    assert problems["answer"].tolist() == [stored]


def test_a_task_inside_the_record_counts() -> None:
    problems = read_problems(frame(task_name=None, meta=json.dumps(RECORD)), "enigmata", "s", "d", "file")
    assert problems["topic"].tolist() == ["game24"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"task_name": "chess960"}, "row 1 holds 'chess960'"), ({"meta": "[]"}, r"row 1 holds '\[\]'")],
)
def test_an_unknown_task_and_a_broken_record_stop_with_their_row(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_problems(frame(**changes), "enigmata", "enigmata-data", "enigmata-10k", "file")


SOURCE = Source(
    name="enigmata-data", repository="o/r", revision="unpinned", files=("*/en/train.jsonl",), split="train",
    reader="enigmata", expected_rows=None, sha256=(), licence="CC-BY-NC-4.0", noncommercial="yes", mirror_files=(),
    mirror_reader="", mirror_rows=None, url="",
)  # fmt: skip


def write_release(folder: Path) -> None:
    """Two tasks whose files differ in columns and in how they write answer and meta."""
    rows = {
        "game24": [
            {"prompt": f"p{i}", "answer": "(12/6)*(13-1)", "task_name": "game24"}
            | {"meta": {"difficulty": ["easy", "hard"][i % 2], "question": [12, 6, 13, 1]}}
            for i in range(20)
        ],
        "symbolic_hard": [
            {"prompt": f"s{i}", "answer": f"{i}", "task_name": "symbolic_hard", "meta": "{}", "difficulty": "none"}
            for i in range(10)
        ],
    }
    for task, lines in rows.items():
        path = folder / "o/r" / task / "en/train.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_messages_name_the_file_and_its_row_while_ids_count_through_all_files(tmp_path: Path) -> None:
    write_release(tmp_path)
    fetch_source(SOURCE, Origin("mirror", mirror_dir=str(tmp_path)), tmp_path / "rows.parquet", tmp_path / "rows.json")
    provenance = read_json(tmp_path / "rows.json")
    problems = read_source(tmp_path / "rows.parquet", provenance, "set")
    assert list(problems["problem_id"]) == [f"enigmata-data/{number}" for number in range(1, 31)]
    rows = pd.read_parquet(tmp_path / "rows.parquet")
    rows.loc[22, "task_name"] = "chess960"
    rows.to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(InputError, match=r"^o/r/symbolic_hard/en/train\.jsonl, column .* row 3 holds 'chess960'"):
        read_source(tmp_path / "rows.parquet", provenance, "set")


def curate_release(folder: Path, **changes: object) -> dict[str, object]:
    write_release(folder)
    return curate_written(folder, **changes)


def curate_written(folder: Path, **changes: object) -> dict[str, object]:
    fetch_source(SOURCE, Origin("mirror", mirror_dir=str(folder)), folder / "rows.parquet", folder / "rows.json")
    strata = {
        "levels": {"easy": {"difficulty": 1, "problems": 3}, "hard": {"difficulty": 3, "problems": 6}},
        "unlabelled": {"symbolic_hard": "hard"},
    }
    settings = {"minimum_difficulty": None, "eval_problems": 0, "max_train_problems": None, "seed": 0}
    recipe = CurationRecipe.from_config("enigmata-10k", {**settings, "strata": strata, "repeats": "keep", **changes})
    outputs = [folder / name for name in ("train.parquet", "eval.parquet", "card.json")]
    curate_files([folder / "rows.parquet"], [folder / "rows.json"], recipe, *outputs)
    return json.loads((folder / "card.json").read_text())


def test_files_with_other_columns_are_read_one_by_one_and_drawn_with_both_margins(tmp_path: Path) -> None:
    card = curate_release(tmp_path)
    train = pd.read_parquet(tmp_path / "train.parquet")
    assert train["topic"].value_counts().to_dict() == {"game24": 6, "symbolic_hard": 3}
    assert train["difficulty"].value_counts().to_dict() == {1.0: 3, 3.0: 6}
    assert card["repeats_kept"] == 0
    assert card["strata"]["supply"][-1] == {"topic": "all", "easy": 10, "hard": 20, "all": 30}
    assert card["strata"]["drawn"][-1] == {"topic": "all", "easy": 3, "hard": 6, "all": 9}
    assert pd.read_parquet(tmp_path / "eval.parquet").empty


def test_repeats_are_counted_in_the_whole_pool_before_the_draw(tmp_path: Path) -> None:
    write_release(tmp_path)
    path = tmp_path / "o/r/game24/en/train.jsonl"
    path.write_text(path.read_text().replace('"p2"', '"P0"').replace('"p4"', '"p0 "'))
    assert curate_written(tmp_path)["repeats_kept"] == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expected_topics": {"game24": 21}}, "topic 'game24'.*number 20, expected 21"),
        ({"expected_topic_names": 38}, "number 2, expected 38"),
    ],
)
def test_stated_counts_are_asserted(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        curate_release(tmp_path, **changes)


def test_other_counts_are_accepted_where_allowed(tmp_path: Path) -> None:
    curate_release(tmp_path, expected_topic_names=38, allow_other_count=True)
