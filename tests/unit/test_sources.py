"""Three origins, one result: the source's own columns in one Parquet file, and where they came from."""

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, sha256_file
from rlvr.data.registry import Source
from rlvr.data.sources import BATCH_ROWS, Origin, check_origin, fetch_source

ROWS = pd.DataFrame(
    {
        "question": ["one?", "two?", "three?"],
        "final_answer": ["1", "2", "3"],
        "difficulty": [8.5, 3.0, -1.0],
        "topic": ["Mathematics -> Algebra"] * 3,
        "r1_solution_1": ["a", "b", "c"],
    }
)
TOY = Source(
    name="deepmath-103k",
    repository="owner/toy",
    revision="a" * 40,
    files=("data/train.parquet",),
    split="train",
    reader="deepmath",
    expected_rows=3,
    sha256=(),
    licence="MIT",
    noncommercial="no",
    mirror_files=(),
    mirror_reader="",
    url="https://example.org",
)
TOY_LINES = dataclasses.replace(TOY, mirror_files=("toy.jsonl",))


@pytest.fixture
def out(tmp_path) -> tuple[Path, Path]:
    return tmp_path / "out/rows.parquet", tmp_path / "out/rows.json"


def write_mirror(folder: Path, frame: pd.DataFrame = ROWS) -> Origin:
    """The same rows as a copy of the release and as JSON Lines."""
    release = folder / "owner/toy/data/train.parquet"
    release.parent.mkdir(parents=True)
    frame.to_parquet(release, index=False)
    frame.to_json(folder / "toy.jsonl", orient="records", lines=True)
    return Origin("mirror", mirror_dir=str(folder))


def write_hub_cache(folder: Path, source: Source = TOY) -> Origin:
    """A folder laid out as huggingface_hub lays out its cache."""
    file = folder / "datasets--owner--toy/snapshots" / source.revision / source.files[0]
    file.parent.mkdir(parents=True)
    ROWS.to_parquet(file, index=False)
    return Origin("hub", cache_dir=str(folder))


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("source", [TOY, TOY_LINES], ids=["release", "json-lines"])
def test_mirror_rows_keep_their_columns(tmp_path, out, source):
    fetch_source(source, write_mirror(tmp_path), *out)
    pd.testing.assert_frame_equal(pd.read_parquet(out[0]), ROWS)
    found = read_json(out[1])
    assert (found["origin"], found["rows"], found["reader"]) == ("mirror", 3, "deepmath")
    name = (source.mirror_files or ("owner/toy/data/train.parquet",))[0]
    assert found["files"] == [
        {"file": name, "bytes": (tmp_path / name).stat().st_size, "sha256": sha256_file(tmp_path / name)}
    ]
    assert str(tmp_path) not in out[1].read_text()


def test_hub_cache_rows_at_the_pinned_revision(tmp_path, out, offline, caplog):
    with caplog.at_level("INFO"):
        fetch_source(TOY, write_hub_cache(tmp_path), *out)
    pd.testing.assert_frame_equal(pd.read_parquet(out[0]), ROWS)
    found = read_json(out[1])
    assert (found["repository"], found["revision"], found["licence"]) == ("owner/toy", "a" * 40, "MIT")
    assert "MIT; non-commercial only: no" in caplog.text


def test_hub_file_that_is_not_there_names_repository_and_remedy(tmp_path, out, offline):
    origin = write_hub_cache(tmp_path)
    with pytest.raises(InputError, match=r"owner/toy@b+/data/train\.parquet: cannot be fetched.*origin mirror"):
        fetch_source(dataclasses.replace(TOY, revision="b" * 40), origin, *out)


def test_synthetic_rows_depend_on_the_seed_alone(tmp_path):
    def fetch(name: str, seed: int) -> pd.DataFrame:
        fetch_source(TOY, Origin("synthetic", synthetic_rows=40, seed=seed), tmp_path / name, tmp_path / f"{name}.json")
        return pd.read_parquet(tmp_path / name)

    first = fetch("first", 1)
    assert len(first) == 40
    pd.testing.assert_frame_equal(first, fetch("again", 1))
    assert not first.equals(fetch("other", 2))
    assert read_json(tmp_path / "first.json")["licence"] == "written by this workflow"


def test_files_longer_than_a_batch_and_several_files_are_joined_in_order(tmp_path, out):
    long = pd.concat([ROWS] * (BATCH_ROWS // 3 + 10), ignore_index=True)
    origin = write_mirror(tmp_path, long)
    ROWS.to_parquet(tmp_path / "owner/toy/data/more.parquet", index=False)
    source = dataclasses.replace(TOY, files=("data/train.parquet", "data/more.parquet"), expected_rows=len(long) + 3)
    fetch_source(source, origin, *out)
    pd.testing.assert_frame_equal(pd.read_parquet(out[0]), pd.concat([long, ROWS], ignore_index=True))


@pytest.mark.parametrize(
    ("source", "origin", "message"),
    [
        (TOY, Origin("ftp"), "unknown origin 'ftp'.*hub, mirror, synthetic"),
        (dataclasses.replace(TOY, revision=""), Origin("hub"), "no pinned revision.*column revision"),
        (dataclasses.replace(TOY, repository="", files=()), Origin("hub"), "on no hub"),
        (TOY, Origin("mirror"), "needs a folder.*mirror_dir"),
    ],
)
def test_origin_that_cannot_deliver_is_refused_before_any_work(source, origin, message):
    with pytest.raises(InputError, match=message):
        check_origin(source, origin)


def test_mirror_without_the_file_names_the_path_expected(tmp_path):
    with pytest.raises(InputError, match=r"owner/toy/data/train\.parquet: no such file, needed by source 'deepmath"):
        check_origin(TOY, Origin("mirror", mirror_dir=str(tmp_path)))


def expect_refusal(source: Source, origin: Origin, out: tuple[Path, Path], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fetch_source(source, origin, *out)
    assert not any(path.exists() for path in out)
    assert not list(out[0].parent.glob(".*"))


def test_wrong_checksum_is_refused(tmp_path, out):
    source = dataclasses.replace(TOY, sha256=("0" * 64,))
    expect_refusal(source, write_mirror(tmp_path), out, r"train\.parquet: has SHA-256 [0-9a-f]{64}, expected 0{64}")


def test_right_checksum_is_accepted(tmp_path, out):
    origin = write_mirror(tmp_path)
    checksum = sha256_file(tmp_path / "owner/toy/data/train.parquet")
    fetch_source(dataclasses.replace(TOY, sha256=(checksum,)), origin, *out)
    assert out[0].exists()


def test_another_number_of_rows_than_released_is_refused_with_both(tmp_path, out):
    expect_refusal(
        dataclasses.replace(TOY, expected_rows=1234), write_mirror(tmp_path), out, "has 3 rows, expected 1,234"
    )


@pytest.mark.parametrize("keep", [0, 100, -9])
def test_truncated_parquet_is_refused(tmp_path, out, keep):
    origin = write_mirror(tmp_path)
    file = tmp_path / "owner/toy/data/train.parquet"
    file.write_bytes(file.read_bytes()[:keep])
    expect_refusal(TOY, origin, out, r"train\.parquet: not a sound Parquet file")


def test_missing_column_names_file_column_and_expectation(tmp_path, out):
    origin = write_mirror(tmp_path, ROWS.drop(columns="difficulty"))
    message = r"toy\.jsonl: lacks the column 'difficulty'.*Expected: question, final_answer, difficulty, topic"
    expect_refusal(TOY_LINES, origin, out, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"question": "caf\xe9"}\n', r"toy\.jsonl: not UTF-8 text"),
        (b'{"question": "one?"}\n{"question": "tw', r"toy\.jsonl, line 2: not JSON"),
        (b'{"question": "one?"}\n7\n', "does not hold one JSON object for each row"),
        (b"\n", "holds no rows"),
        (
            b'{"difficulty": 1.5}\n{"difficulty": 2}\n{"difficulty": "hard"}\n',
            "'difficulty' mixes types: row 3 holds 'hard'",
        ),
    ],
)
def test_damaged_json_lines_are_refused(tmp_path, out, content, message):
    origin = write_mirror(tmp_path)
    (tmp_path / "toy.jsonl").write_bytes(content)
    expect_refusal(TOY_LINES, origin, out, message)


def test_odd_value_among_numbers_is_named_with_its_row(tmp_path, out):
    origin = write_mirror(tmp_path)
    records = ROWS.to_dict("records")
    records[1]["difficulty"] = "hard"
    (tmp_path / "toy.jsonl").write_text("\n".join(map(json.dumps, records)))
    expect_refusal(TOY_LINES, origin, out, r"column 'difficulty' mixes types: row 2 holds 'hard'")


def test_parquet_with_broken_text_is_refused(tmp_path, out):
    import pyarrow as pa
    import pyarrow.parquet as pq

    origin = write_mirror(tmp_path)
    broken = pa.array([b"caf\xe9"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"question": broken}), tmp_path / "owner/toy/data/train.parquet")
    expect_refusal(TOY, origin, out, "not a sound Parquet file.*UTF8")


def test_files_with_other_columns_are_refused(tmp_path, out):
    origin = write_mirror(tmp_path)
    ROWS[["question"]].to_parquet(tmp_path / "owner/toy/data/more.parquet", index=False)
    source = dataclasses.replace(TOY, files=("data/train.parquet", "data/more.parquet"))
    expect_refusal(source, origin, out, "files with different columns")
