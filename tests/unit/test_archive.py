"""An archive brings results back as they were, or says what is wrong with it."""

import os
import tarfile
from pathlib import Path

import pytest

from rlvr.core.archive import archived_files, bring_archive, find_archive, pack, unpack
from rlvr.core.errors import InputError

NAMES = {"train": ["mine"], "specs": ["mine"], "evaluate": ["mine"], "paper": ["study"]}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    root = tmp_path / "results"
    for name in (
        "train/mine/run.json", "train/mine/adapter/a.safetensors", "train/mine/checkpoints/checkpoint-2/x",
        "train/other/run.json", "specs/mine.json", "specs/other.json", "logs/train_run/mine.log",
        "evaluate/mine/main/samples.parquet", "data/set/raw/s.parquet", "data/set/train.parquet",
        "models/base/model.json", "paper/study/paper.pdf", "paper/else/paper.pdf", "spectra/mine.parquet",
        "spectra/bases/base/factors.json", "spectra/bases/base/0.safetensors",
    ):  # fmt: skip
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        os.utime(path, ns=(10**18 + 5, 10**18 + 5))
    (root / "models/base/model.safetensors").write_bytes(bytes(2**20 + 1))
    return root


@pytest.fixture
def archive(results: Path, tmp_path: Path) -> Path:
    path = tmp_path / "study.tar"
    pack(results, archived_files(results, NAMES), path, tmp_path / "study.csv")
    return path


def test_what_belongs_to_the_study_and_nothing_else(results: Path) -> None:
    found = {path.relative_to(results).as_posix() for path in archived_files(results, NAMES)}
    assert found == {
        "train/mine/run.json", "train/mine/adapter/a.safetensors", "specs/mine.json", "data/set/train.parquet",
        "evaluate/mine/main/samples.parquet", "models/base/model.json", "paper/study/paper.pdf", "spectra/mine.parquet",
        "spectra/bases/base/factors.json",
    }  # fmt: skip


def test_names_that_hold_points_are_told_apart(tmp_path: Path) -> None:
    for name in ("train/m-3.1_a/run.json", "train/m-3.1_b/run.json", "specs/m-3.1_a.json", "specs/m-3.1_b.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    found = archived_files(tmp_path, {"train": ["m-3.1_a"], "specs": ["m-3.1_a"]})
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["specs/m-3.1_a.json", "train/m-3.1_a/run.json"]


def test_it_comes_back_with_its_times(results: Path, archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "clone"
    assert bring_archive(str(archive), target) == 9
    for path in archived_files(results, NAMES):
        copy = target / path.relative_to(results)
        assert copy.read_bytes() == path.read_bytes()
        assert copy.stat().st_mtime_ns == 10**18 + 5
    assert unpack(archive, target) == 0


def test_two_names_of_one_file_are_two_files(results: Path, tmp_path: Path) -> None:
    (results / "train/mine/second.json").hardlink_to(results / "train/mine/run.json")
    pack(results, archived_files(results, NAMES), tmp_path / "x.tar", tmp_path / "x.csv")
    assert unpack(tmp_path / "x.tar", tmp_path / "clone") == 10
    assert (tmp_path / "clone/train/mine/second.json").read_text() == "train/mine/run.json"


def test_what_is_there_stays(archive: Path, tmp_path: Path) -> None:
    own = tmp_path / "clone" / "specs" / "mine.json"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    assert unpack(archive, tmp_path / "clone") == 8
    assert own.read_text() == "mine"


def test_a_changed_byte_is_found_and_the_file_is_not_brought(archive: Path, tmp_path: Path) -> None:
    content = archive.read_bytes()
    assert content.count(b"evaluate/mine/main/samples.parquet") == 3  # in the list, as a name, as the content
    at = content.rindex(b"evaluate/mine/main/samples.parquet")
    archive.write_bytes(content[:at] + b"E" + content[at + 1 :])
    with pytest.raises(InputError, match=r"'evaluate/mine/main/samples\.parquet' has other bytes"):
        unpack(archive, tmp_path / "clone")
    assert not (tmp_path / "clone" / "evaluate/mine/main/samples.parquet").exists()


def test_a_member_that_leads_out_is_refused(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive, "a") as tar:
        tar.add(archive.with_suffix(".csv"), "../escaped")
    with pytest.raises(InputError, match="no plain file below its folder"):
        unpack(archive, tmp_path / "clone")
    assert not (tmp_path / "escaped").exists()


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_text("no")
    with pytest.raises(InputError, match=r"no archive that can be read"):
        unpack(path, tmp_path / "clone")
    with pytest.raises(InputError, match="is no file"):
        find_archive(str(tmp_path / "none.tar"))
    with pytest.raises(InputError, match="is not hub:"):
        find_archive("hub:owner/name")


def listed(folder: Path, rows: bytes) -> Path:
    """An archive that holds nothing but this list."""
    (folder / "files.csv").write_bytes(rows)
    with tarfile.open(folder / "x.tar", "w") as tar:
        tar.add(folder / "files.csv", "files.csv")
    return folder / "x.tar"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (b"", "not enough values"),
        (b"path,bytes\na,1\n", "its columns are path, bytes"),
        (b"path,bytes,sha256,mtime_ns\na,1,x\n", "not enough values"),
        (b"path,bytes,sha256,mtime_ns\na,many,x,1\n", "invalid literal"),
        (b"path,bytes,sha256,mtime_ns\na,1,x,99999999999999999999999\n", "a time is out of range"),
        (b"path,bytes,sha256,mtime_ns\n\xff,1,x,1\n", "can't decode byte 0xff"),
    ],
)
def test_a_damaged_list_is_named_with_what_is_wrong_in_it(rows: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"x\.tar, files\.csv: is no list of files \(.*{said}"):
        unpack(listed(tmp_path, rows), tmp_path / "clone")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])  # a third of it are zeros that end it
def test_a_truncated_archive_is_named(share: float, archive: Path, tmp_path: Path) -> None:
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=r"study\.tar.*(no archive that can be read|in its list and not in it)"):
        unpack(archive, tmp_path / "clone")


def test_a_folder_that_takes_no_file_is_named_not_the_archive(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "specs").write_text("a file where a folder has to be")
    with pytest.raises(InputError, match=r"clone/specs/mine\.json: cannot be written") as refused:
        unpack(archive, tmp_path / "clone")
    assert "study.tar" not in str(refused.value)


def test_a_full_disk_is_named_and_leaves_no_part_of_a_file(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rlvr.core.archive.os.utime", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        unpack(archive, tmp_path / "clone")
    assert not [path for path in (tmp_path / "clone").rglob("*") if path.is_file()]


@pytest.mark.parametrize("error", [RuntimeError("no network\nat all"), RuntimeError()])
def test_a_download_that_fails_says_why(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fail)
    with pytest.raises(InputError, match=r"was not fetched \((no network|RuntimeError)\)"):
        find_archive(f"hub:owner/name@{'0' * 40}/study.tar")
