"""Three origins, one result: the source's own columns in one Parquet file, and where they came from."""

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, sha256_file
from rlvr.data.fetching import Origin, check_origin, fetch_source
from rlvr.data.readers import READERS, Field, Reader
from rlvr.data.tabular import BATCH_ROWS, ROW_NUMBER
from rlvr.plan.sources import UNPINNED, Source

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
    mirror_rows=None,
    url="https://example.org",
)
TOY_LINES = dataclasses.replace(TOY, mirror_files=("toy.jsonl",))


def collected(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as fetching stores them: the columns that the reader needs, and the rows' numbers."""
    return rows.drop(columns="r1_solution_1").assign(**{ROW_NUMBER: range(1, len(rows) + 1)})


@pytest.fixture
def out(tmp_path) -> tuple[Path, Path]:
    return tmp_path / "out/rows.parquet", tmp_path / "out/rows.json"


def write_mirror(folder: Path, frame: pd.DataFrame = ROWS) -> Origin:
    """Write rows into a mirror folder twice, as a copy of the release and as JSON Lines; the mirror's origin."""
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
def test_mirror_rows_in_their_own_columns(tmp_path, out, source):
    fetch_source(source, write_mirror(tmp_path), *out)
    pd.testing.assert_frame_equal(pd.read_parquet(out[0]), collected(ROWS))
    found = read_json(out[1])
    assert (found["origin"], found["rows"], found["reader"]) == ("mirror", 3, "deepmath")
    name = (source.mirror_files or ("owner/toy/data/train.parquet",))[0]
    assert found["files"] == [
        {"file": name, "bytes": (tmp_path / name).stat().st_size, "sha256": sha256_file(tmp_path / name), "rows": 3}
    ]
    assert str(tmp_path) not in out[1].read_text()


def test_hub_cache_rows_at_the_pinned_revision(tmp_path, out, offline, caplog, capfd):
    with caplog.at_level("INFO"):
        fetch_source(TOY, write_hub_cache(tmp_path), *out)
    pd.testing.assert_frame_equal(pd.read_parquet(out[0]), collected(ROWS))
    found = read_json(out[1])
    assert (found["repository"], found["revision"], found["licence"]) == ("owner/toy", "a" * 40, "MIT")
    assert found["pinned"]
    assert "MIT; non-commercial only: no" in caplog.text
    assert "terms of 'deepmath-103k': MIT; non-commercial only: no" in capfd.readouterr().err


def test_hub_file_that_is_not_there_names_repository_and_remedy(tmp_path, out, offline):
    origin = write_hub_cache(tmp_path)
    with pytest.raises(InputError, match=r"owner/toy@b+: cannot be fetched.*origin mirror"):
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
    pd.testing.assert_frame_equal(pd.read_parquet(out[0]), collected(pd.concat([long, ROWS], ignore_index=True)))
    assert [file["rows"] for file in read_json(out[1])["files"]] == [len(long), 3]


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
        (b'{"question": "a"}\n{"question": "caf\xe9"}\n', r"toy\.jsonl, line 2: not UTF-8 text"),
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
    table = pa.Table.from_pandas(ROWS.head(1)).set_column(0, "question", broken)
    pq.write_table(table, tmp_path / "owner/toy/data/train.parquet")
    expect_refusal(TOY, origin, out, "not a sound Parquet file.*UTF8")


def test_files_with_other_columns_are_refused(tmp_path, out):
    origin = write_mirror(tmp_path)
    source = dataclasses.replace(TOY, files=("data/train.parquet", "data/more.parquet"))
    ROWS.assign(topic=[["list"]] * 3).to_parquet(tmp_path / "owner/toy/data/more.parquet", index=False)
    expect_refusal(source, origin, out, r"more\.parquet: column 'topic' holds list<.*in the file before it")
    ROWS.assign(difficulty=["8.5", "3.0", "hard"]).to_parquet(tmp_path / "owner/toy/data/more.parquet", index=False)
    expect_refusal(source, origin, out, r"more\.parquet: column 'difficulty' holds .*string, double in the file before")
    ROWS[["question"]].to_parquet(tmp_path / "owner/toy/data/more.parquet", index=False)
    expect_refusal(source, origin, out, r"more\.parquet: lacks the column 'final_answer'")


def test_a_column_that_no_reader_needs_may_differ_between_files(tmp_path, out):
    origin = write_mirror(tmp_path)
    ROWS.drop(columns="r1_solution_1").to_parquet(tmp_path / "owner/toy/data/more.parquet", index=False)
    source = dataclasses.replace(TOY, files=("data/train.parquet", "data/more.parquet"), expected_rows=6)
    fetch_source(source, origin, *out)
    assert len(pd.read_parquet(out[0])) == 6


def test_a_file_of_another_split_is_not_read_but_a_pattern_that_takes_it_in_breaks_the_count(tmp_path, out):
    origin = write_mirror(tmp_path)
    ROWS.to_parquet(tmp_path / "owner/toy/data/test.parquet", index=False)
    fetch_source(TOY, origin, *out)
    assert read_json(out[1])["rows"] == 3
    pattern = dataclasses.replace(TOY, files=("data/*.parquet",))
    with pytest.raises(InputError, match="has 6 rows, expected 3"):
        fetch_source(pattern, origin, *out)
    fetch_source(dataclasses.replace(pattern, expected_rows=6), origin, *out)
    assert [file["file"] for file in read_json(out[1])["files"]] == [
        "owner/toy/data/test.parquet",
        "owner/toy/data/train.parquet",
    ]


def test_pattern_without_a_file_names_it(tmp_path, out):
    origin = write_mirror(tmp_path)
    expect_refusal(dataclasses.replace(TOY, files=("none/*.parquet",)), origin, out, r"none/\*\.parquet: no such file")


def test_unpinned_source_is_fetched_with_a_warning_and_its_commit_recorded(tmp_path, out, offline, caplog):
    origin = write_hub_cache(tmp_path)
    reference = tmp_path / "datasets--owner--toy/refs/main"
    reference.parent.mkdir()
    reference.write_text("a" * 40)
    with caplog.at_level("INFO"):
        fetch_source(dataclasses.replace(TOY, revision=UNPINNED), origin, *out)
    found = read_json(out[1])
    assert (found["pinned"], found["revision"]) == (False, "a" * 40)
    assert "NOT PINNED" in caplog.text
    assert "dataset_info" in caplog.text


def test_file_missing_from_the_cache_names_it(tmp_path, out, offline):
    source = dataclasses.replace(TOY, files=(*TOY.files, "data/more.parquet"))
    expect_refusal(
        source, write_hub_cache(tmp_path), out, r"data/more\.parquet: no such file, needed from owner/toy@a+"
    )


def test_another_count_is_allowed_by_name_and_recorded(tmp_path, out, caplog):
    origin = dataclasses.replace(write_mirror(tmp_path), allow_other_count=True)
    fetch_source(dataclasses.replace(TOY, expected_rows=1234), origin, *out)
    found = read_json(out[1])
    assert (found["rows"], found["expected_rows"]) == (3, 1234)
    assert "has 3 rows, expected 1,234" in caplog.text


def test_a_mirror_in_another_form_has_its_own_count(tmp_path, out):
    source = dataclasses.replace(TOY_LINES, expected_rows=1234, mirror_rows=4)
    origin = write_mirror(tmp_path)
    expect_refusal(source, origin, out, "has 3 rows, expected 4")
    fetch_source(dataclasses.replace(source, mirror_rows=3), origin, *out)
    assert read_json(out[1])["expected_rows"] == 3


NESTED = [
    {
        "prompt": [{"content": f"problem {number % 4}", "role": "user"}],
        "reward_model": {"ground_truth": str(number % 4), "style": "rule"},
        "extra_info": {"index": f"id-{number % 4}"},
        "ability": "MATH",
    }
    for number in range(40)
]


@pytest.mark.parametrize("name", ["rows.parquet", "rows.jsonl", "rows.json"])
def test_row_rules_keep_what_they_name_and_children_of_structs_are_lifted(tmp_path, out, name):
    import pyarrow as pa
    import pyarrow.parquet as pq

    if name == "rows.parquet":
        pq.write_table(pa.Table.from_pylist(NESTED), tmp_path / name, row_group_size=7)
    else:
        lines = list(map(json.dumps, NESTED))
        (tmp_path / name).write_text("\n".join(lines) if name.endswith("l") else f"[{','.join(lines)}]")
    source = dataclasses.replace(TOY, reader="dapo", mirror_files=(name,), mirror_rows=40)
    fetch_source(source, Origin("mirror", mirror_dir=str(tmp_path)), *out)
    found = pd.read_parquet(out[0])
    assert list(found["extra_info.index"]) == ["id-0", "id-1", "id-2", "id-3"]
    assert list(found["reward_model.ground_truth"]) == list("0123")
    assert list(found[ROW_NUMBER]) == [1, 2, 3, 4]
    assert read_json(out[1])["rules"] == [{"filter": "first row of each extra_info.index", "before": 40, "after": 4}]


def test_rules_see_all_files_together_and_rows_keep_their_numbers(tmp_path, out):
    for name, rows in (("one.jsonl", NESTED[:3]), ("two.jsonl", NESTED[2:8])):
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
    source = dataclasses.replace(TOY, reader="dapo", mirror_files=("one.jsonl", "two.jsonl"))
    fetch_source(source, Origin("mirror", mirror_dir=str(tmp_path)), *out)
    assert list(pd.read_parquet(out[0])[ROW_NUMBER]) == [1, 2, 3, 5]


def test_columns_declared_as_json_may_differ_from_file_to_file(tmp_path, out, monkeypatch):
    reader = Reader(
        Field("prompt", lambda values, where: values),
        Field("answer", lambda values, where: values),
        meta=("meta", "difficulty"),
        json_columns=("answer", "meta", "difficulty"),
    )
    monkeypatch.setitem(READERS, "loose", reader)
    rows = {
        "a.jsonl": [
            {"prompt": "p", "answer": "x", "meta": {"k": [1]}},
            {"prompt": "q", "answer": ["y", 1], "meta": "text"},
        ],
        "b.jsonl": [{"prompt": "r", "answer": "z", "meta": '{"k": 2}', "difficulty": "easy"}],
    }
    for name, records in rows.items():
        (tmp_path / name).write_text("\n".join(map(json.dumps, records)))
    pd.DataFrame([{"prompt": "s", "answer": ["w"], "meta": {"k": 3}}]).to_parquet(tmp_path / "c.parquet")
    source = dataclasses.replace(TOY, reader="loose", mirror_files=("[!o]*.*",))
    fetch_source(source, Origin("mirror", mirror_dir=str(tmp_path)), *out)
    found = pd.read_parquet(out[0])
    assert list(found["prompt"]) == ["p", "q", "r", "s"]
    assert list(found["answer"]) == ["x", '["y", 1]', "z", '["w"]']
    assert [value if value == "text" else json.loads(value) for value in found["meta"]] == [
        {"k": [1]},
        "text",
        {"k": 2},
        {"k": 3},
    ]
    assert found["difficulty"].isna().tolist() == [True, True, False, True]
