"""Where files cannot be written: one sentence that names place, reason and remedy, before a job or at its end."""

import asyncio
import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rlvr.core import writable
from rlvr.core.errors import InputError
from rlvr.core.refusals import is_lasting
from rlvr.core.writable import (
    Unwritable,
    ask_for_places,
    check_folder,
    check_places,
    check_temporary,
    check_tree,
    explained,
    nearest_folder,
)

LIBRARY = Path(__file__).resolve().parents[2] / "workflow" / "lib"


@pytest.fixture(autouse=True)
def fresh() -> None:
    """What was found of a folder is remembered for as long as one plan takes."""
    writable._check_space.cache_clear()


def disk(**changes: int) -> Any:
    """What the system tells of a disk with space."""
    usual = {"f_flag": 0, "f_bfree": 10**6, "f_bavail": 10**6, "f_frsize": 4096, "f_files": 10, "f_ffree": 5}
    return lambda path: SimpleNamespace(**{**usual, "f_namemax": 255, **changes})


def refusal(folder: Path, longest: int = 0) -> Unwritable:
    with pytest.raises(Unwritable) as caught:
        check_folder(folder, longest)
    return caught.value


def test_a_folder_that_is_still_to_be_made_is_asked_by_the_one_above_it(tmp_path: Path) -> None:
    check_places([tmp_path / "not/there/yet.json", "neither.json"])
    assert nearest_folder(tmp_path / "not/there") == tmp_path
    assert not (tmp_path / "not").exists()


def test_files_and_dead_links_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("/no/such/disk")
    assert refusal(tmp_path / "file/below").problem == "is a file; a folder is needed there."
    assert refusal(tmp_path / "link/below").problem == "is a link to /no/such/disk, which is not there."
    (tmp_path / "good").symlink_to(tmp_path)
    check_folder(tmp_path / "good/below")


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(Unwritable, match=r"run\.json: is a folder; a file is needed there\. Move it away\."):
        check_places([tmp_path / "other.json", tmp_path / "run.json"])


@pytest.mark.parametrize("name", ["adapter", "model", "checkpoints", "steps"])
def test_what_a_training_writes_beside_its_manifest(tmp_path: Path, name: str) -> None:
    (tmp_path / "run" / name).mkdir(parents=True)
    check_places([tmp_path / "run/run.json"])
    (tmp_path / "run" / name).rmdir()
    (tmp_path / "run" / name).touch()
    check_places([tmp_path / "run/metrics.parquet"])
    with pytest.raises(Unwritable, match=f"run/{name}: is a file; a folder is needed there"):
        check_places([tmp_path / "run/run.json"])


NAMES: dict[str, list[str]] = {"train": ["a_run", "another_run"], "data": ["math"], "logs": []}


@pytest.mark.parametrize("place", ["train", "train/a_run", "data/math", "logs"])
def test_a_file_or_a_dead_link_in_the_place_of_a_folder_of_results(tmp_path: Path, place: str) -> None:
    results = tmp_path / "results" / "tiny"
    check_tree(results, NAMES)  # nothing is there yet
    for good in ("train/another_run", "data", "evaluate"):
        (results / good).mkdir(parents=True)
    for file in ("plan.csv", "notes", "train/notes", "evaluate/a_run"):  # of no stage that was named, or of no run
        (results / file).touch()
    check_tree(results, NAMES)
    wrong = results / place
    if wrong.is_dir():
        wrong.rename(tmp_path / "away")
    wrong.touch()
    with pytest.raises(Unwritable, match=f"results/tiny/{place}: is a file; a folder is needed there"):
        check_tree(results, NAMES)
    wrong.unlink()
    wrong.symlink_to("/no/disk")
    with pytest.raises(Unwritable, match=f"results/tiny/{place}: is a link to /no/disk, which is not there"):
        check_tree(results, NAMES)
    wrong.unlink()
    (tmp_path / "elsewhere").mkdir()
    wrong.symlink_to(tmp_path / "elsewhere")
    check_tree(results, NAMES)


@pytest.mark.parametrize("place", ["", "tiny", "tiny/train", "tiny/train/a_run", "tiny/logs"])
def test_a_folder_of_results_that_another_user_keeps_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    for good in ("train/a_run", "logs"):
        (tmp_path / "results/tiny" / good).mkdir(parents=True)
    closed = tmp_path / "results" / place
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed)
    with pytest.raises(Unwritable) as caught:
        check_tree(tmp_path / "results/tiny", NAMES)
    assert str(caught.value).startswith(f"{closed}: is closed to this user.")


def test_a_plan_that_meets_a_file_in_the_place_of_a_folder_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "suite").touch()

    class Planner:
        """Fails as Snakemake's inventory and its functions of inputs do."""

        async def init(self, place: str, how: str) -> None:
            try:
                os.scandir(place)
            except OSError as error:
                if how == "as it is":
                    raise
                if how == "beneath another":
                    raise RuntimeError("while a function of inputs was called")  # noqa: B904 (Snakemake names none)
                told = f"in rule score_run:\n  {type(error).__name__}: {error}\nWildcards:"
            raise RuntimeError(told)

        async def check_jobs(self) -> None:
            """Find nothing wrong."""

    ask_for_places(Planner)
    for place, how in (("suite", "as it is"), ("suite/scores", "beneath another"), ("suite/scores", "as a text")):
        with pytest.raises(SystemExit) as ended:
            asyncio.run(Planner().init(str(tmp_path / place), how))
        assert ended.value.code == f"InputError: {tmp_path}/suite: is a file; a folder is needed there. Move it away."
    with pytest.raises(FileNotFoundError):
        asyncio.run(Planner().init(str(tmp_path / "none"), "as it is"))
    with pytest.raises(RuntimeError, match="No such file"):
        asyncio.run(Planner().init(str(tmp_path / "none"), "as a text"))


@pytest.mark.parametrize(
    ("changes", "words", "lasting"),
    [
        ({"f_flag": os.ST_RDONLY}, "its disk is mounted read-only", True),
        ({"f_bfree": 0, "f_bavail": 0}, "the disk is full (0 bytes are free)", False),
        ({"f_bfree": 63, "f_bavail": 63}, "the disk is full (258,048 bytes are free)", False),
        ({"f_ffree": 0}, "no room for another file", False),
    ],
)
def test_disks_that_take_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, int], words: str, lasting: bool
) -> None:
    monkeypatch.setattr(os, "statvfs", disk(**changes))
    error = refusal(tmp_path / "below")
    assert words in str(error) and str(tmp_path) in str(error) and is_lasting(error) == lasting


@pytest.mark.parametrize("changes", [{}, {"f_files": 0, "f_ffree": 0}, {"f_bfree": 64, "f_bavail": 64}])
def test_disks_that_take_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, int]) -> None:
    monkeypatch.setattr(os, "statvfs", disk(**changes))  # a disk without inodes tells none, which is not full
    check_folder(tmp_path)


def test_space_that_is_kept_for_root_is_not_a_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "statvfs", disk(f_bavail=0))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "the disk is full" in str(refusal(tmp_path))
    writable._check_space.cache_clear()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    check_folder(tmp_path)


def test_a_disk_that_filled_up_since_the_plan_is_found_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    check_places([tmp_path / "log"])
    monkeypatch.setattr(os, "statvfs", disk(f_bfree=0, f_bavail=0))
    with pytest.raises(Unwritable, match="the disk is full"):
        check_places([tmp_path / "log"])


def test_a_folder_of_another_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "is closed to this user." in str(refusal(tmp_path / "below"))


def test_names_and_paths_that_are_too_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    check_folder(tmp_path, 231)
    assert "names of up to 232 bytes do not fit" in str(refusal(tmp_path, 232))
    assert "names of up to 240 bytes" in str(refusal(tmp_path / ("ü" * 120)))  # of bytes, not of letters
    deep = tmp_path.joinpath(*["d" * 200] * 20)
    assert "the system takes 4095" in str(refusal(deep))
    monkeypatch.setattr(os, "statvfs", disk(f_namemax=143))  # an encrypted home
    check_folder(tmp_path, 119)
    assert "the file system takes 143" in str(refusal(tmp_path, 120))


@pytest.mark.parametrize(
    ("error", "words", "lasting"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "a/file"),
            "a/file: cannot be written: the disk is full",
            False,
        ),
        (OSError(errno.ENOSPC, "No space left", "from", None, "to"), "to: cannot be written: the disk is full", False),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "results: cannot be written: your quota", False),
        (
            OSError(errno.EROFS, "Read-only file system", "x"),
            "x: cannot be written: its disk is mounted read-only",
            True,
        ),
        (OSError(errno.EFBIG, "File too large", "x"), "x: would be larger than this process may write", True),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "x: is closed to this user.", True),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x"), "x: is longer than the file system takes", True),
        # As safetensors, PyTorch and C++ say it (met on a small tmpfs).
        (RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"), "is full", False),
        (
            RuntimeError("basic_ios::clear: iostream error"),
            "results: cannot be written: the disk is full, or was",
            False,
        ),
        (
            RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 128 vs 22"),
            "is full, or was",
            False,
        ),
        (RuntimeError("PytorchStreamWriter failed writing file data/5: file write failed"), "is full, or was", False),
    ],
)
def test_what_libraries_say_of_it_is_one_sentence(error: Exception, words: str, lasting: bool) -> None:
    told = explained(error, "results")
    assert isinstance(told, Unwritable) and words in str(told) and is_lasting(told) == lasting
    assert str(pickle.loads(pickle.dumps(told))) == str(told)


def test_of_a_path_that_cannot_be_reached_the_closed_folder_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    closed, file = tmp_path / "closed", tmp_path / "closed/deep/file"
    file.parent.mkdir(parents=True)
    error = PermissionError(errno.EACCES, "Permission denied", str(file))
    assert str(explained(error, "")).startswith(f"{file}: is closed to this user.")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed)
    assert str(explained(error, "")).startswith(f"{closed}: is closed to this user.")


def test_what_stands_in_the_way_of_a_job_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("/no/disk")
    (tmp_path / "folder").mkdir()
    for act, words in (
        (lambda: (tmp_path / "file/below").write_text("x"), "file: is a file; a folder is needed there"),
        (lambda: (tmp_path / "file").mkdir(exist_ok=True), "file: is a file; a folder is needed there"),
        (lambda: (tmp_path / "link").mkdir(exist_ok=True), "link: is a link to /no/disk, which is not there"),
        (lambda: (tmp_path / "file").replace(tmp_path / "folder"), "folder: is a folder; a file is needed there"),
    ):
        with pytest.raises(OSError) as caught:
            act()
        told = explained(caught.value, "results")
        assert isinstance(told, Unwritable) and f"{tmp_path}/{words}" in str(told) and is_lasting(told)


@pytest.mark.parametrize(
    "error",
    [
        FileExistsError(errno.EEXIST, "File exists", "/"),
        RuntimeError("CUDA out of memory"),
        FileNotFoundError(2, "No such file", "x"),
        InputError("x", "is wrong.", "Mend it."),
    ],
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    assert explained(error, "results") is error


def test_a_folder_of_temporary_files_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for wanted, words in ((tmp_path, ""), (tmp_path / "none", f"TMPDIR={tmp_path}/none takes no files; temporary")):
        monkeypatch.setattr("tempfile.tempdir", None)
        monkeypatch.setenv("TMPDIR", str(wanted))
        assert check_temporary().startswith(words) and bool(check_temporary()) == bool(words)

    def none() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("tempfile.gettempdir", none)
    with pytest.raises(Unwritable, match="no folder takes temporary files"):
        check_temporary()


def test_a_folder_of_temporary_files_that_is_nearly_full_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # Python wrote four bytes there, which fit
    monkeypatch.setattr(os, "statvfs", disk(f_bfree=1, f_bavail=1))
    sentence = rf"{tmp_path} \(for temporary files\): .* full \(4,096 bytes are free\)\. Set TMPDIR to a folder with"
    with pytest.raises(Unwritable, match=sentence):
        check_temporary()


JOB = """
import sys
from pathlib import Path
from rlvr.core.joblog import log_to
log_to(sys.argv[1])
print("a line of the log")
if sys.argv[2] == "fails":
    raise OSError(28, "No space left on device", "results/table.parquet")
Path(sys.argv[2]).write_text("whole")
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, a disk that is always full")
def test_a_job_whose_log_finds_no_space_is_done_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "run.log").symlink_to("/dev/full")
    done = run_job(tmp_path / "run.log", str(tmp_path / "result"))
    assert (done.returncode, done.stderr) == (0, "") and (tmp_path / "result").read_text() == "whole"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, a disk that is always full")
def test_a_job_that_finds_no_space_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "full.log").symlink_to("/dev/full")
    for log in (tmp_path / "full.log", tmp_path / "run.log"):
        done = run_job(log, "fails")
        sentence = "Unwritable: results/table.parquet: cannot be written: the disk is full. Make space there"
        assert done.returncode == 1 and done.stderr.startswith(sentence) and "Traceback" not in done.stderr
    text = (tmp_path / "run.log").read_text()
    assert sentence in text and "Traceback" not in text and text.startswith("a line of the log\n")
    assert not list(tmp_path.glob("*.refused"))  # there may be space at the next attempt


def run_job(log: Path, what: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    command = [sys.executable, "-c", JOB, str(log), what]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
