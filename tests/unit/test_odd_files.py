"""Files of other programs, folders of other users, file systems without locks: each ends in a sentence."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from rlvr.core.errors import InputError
from rlvr.core.io import read_json
from rlvr.core.locks import sole_writer
from rlvr.core.nodes import prepare_node
from rlvr.core.provenance import LIBRARY


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe{}", b"PAR1\x00\x80"])
def test_what_is_no_json_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json: not valid JSON .*Delete it and run again"):
        read_json(tmp_path / "x.json")


IN_ASCII = """
import locale, sys
from rlvr.core.io import read_json, write_json
assert locale.getpreferredencoding(False).lower() in ("ascii", "ansi_x3.4-1968", "646"), locale.getpreferredencoding()
write_json(read_json(sys.argv[1]), sys.argv[2])
"""


def test_json_is_utf_8_in_every_locale(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes('"\u00e4\u2264"\n'.encode())
    plain = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONPATH": str(LIBRARY)}
    command = [sys.executable, "-c", IN_ASCII, tmp_path / "x.json", tmp_path / "y.json"]
    subprocess.run(command, env={**os.environ, **plain}, check=True)
    assert (tmp_path / "y.json").read_bytes() == (tmp_path / "x.json").read_bytes()


def test_a_file_system_without_locks_is_refused_and_no_file_stands_in_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that stands in for a lock would outlive a killed holder."""

    def without(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", without)
    with pytest.raises(InputError, match="a file system without locks"), sole_writer(tmp_path / "run"):
        raise AssertionError("nobody holds it")
    monkeypatch.undo()
    with sole_writer(tmp_path / "run"):
        pass


def test_another_trouble_with_the_lock_is_not_called_a_file_system_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(filelock.FileLock, "acquire", broken)
    with pytest.raises(OSError, match="Input/output error"), sole_writer(tmp_path / "run"):
        pass


def compiled(scratch: Path) -> Path:
    environment: dict[str, str] = {}
    prepare_node(str(scratch), environment)
    return Path(environment["TRITON_CACHE_DIR"]).parent


def test_compiled_code_lies_in_a_folder_that_nobody_else_can_write(tmp_path: Path) -> None:
    folder = compiled(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    assert stat.S_IMODE(compiled(tmp_path).stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["link", "file", "stranger"])
def test_compiled_code_is_not_loaded_from_what_somebody_else_has_made(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = compiled(tmp_path)
    if kind == "stranger":
        monkeypatch.setattr("os.getuid", lambda: folder.stat().st_uid + 1)
    else:
        folder.rmdir()
        folder.symlink_to(tmp_path / "elsewhere") if kind == "link" else folder.write_text("")
        (tmp_path / "elsewhere").mkdir()
    with pytest.raises(InputError, match=r"rlvr-compiled-.*is not a folder of this user.*scratch"):
        compiled(tmp_path)


def test_a_folder_that_cannot_be_made_is_left_to_the_libraries(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert compiled(tmp_path / "file" / "below").name.startswith("rlvr-compiled-")
