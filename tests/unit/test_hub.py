"""Downloads from a hub of our own on this machine, through the installed huggingface_hub: what we rely on it for."""

import hashlib
import io
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rlvr.core.archive import bring_archive, pack
from rlvr.core.errors import InputError
from rlvr.core.progress import Progress
from rlvr.data.hub_files import check_contents, download_files

COMMIT = "a" * 40
LARGE, SMALL = bytes(range(256)) * 2000, b"one line\n"
FILES = {"data/train.parquet": LARGE, "data/more.parquet": LARGE[::-1], "README.md": SMALL}


class Hub(ThreadingHTTPServer):
    """A local server that answers as the hub does for one repository, with faults on request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.served = dict(FILES)  # what is sent; what is promised stays FILES
        self.breaks: list[str] = []  # files whose next download ends in the middle
        self.ranges: list[str] = []
        self.asked: list[str] = []


class Answers(BaseHTTPRequestHandler):
    """The listing of files, their headers and their content from a byte on."""

    server: Hub

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_HEAD(self) -> None:
        name = self.path.partition(f"/resolve/{COMMIT}/")[2]
        self._send(200, FILES[name], name, body=False)

    def do_GET(self) -> None:
        if "/tree/" in self.path:
            listed = [
                {"type": "file", "path": name, "size": len(data), "oid": "0" * 40} for name, data in FILES.items()
            ]
            self._send(200, json.dumps(listed).encode())
            return
        name = self.path.partition(f"/resolve/{COMMIT}/")[2]
        if name not in self.server.served:
            self._send(404, b"")
            return
        self.server.asked.append(name)
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") :].partition("-")[0])
        if start:
            self.server.ranges.append(f"{name} from {start}")
        self._send(206 if start else 200, self.server.served[name][start:], name)

    def _send(self, status: int, data: bytes, name: str = "", body: bool = True) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if name:
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(FILES[name]).hexdigest()}"')
        self.end_headers()
        if not body:
            return
        if name in self.server.breaks:
            self.server.breaks.remove(name)
            data = data[: len(data) // 2]
            self.close_connection = True
        self.wfile.write(data)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A running hub, and huggingface_hub pointed to it."""
    import huggingface_hub
    from huggingface_hub import constants, file_download

    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 50_000)
    monkeypatch.setattr(file_download.time, "sleep", lambda _: None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    huggingface_hub.close_session()
    with huggingface_hub.utils.disable_progress_bars():
        yield server
    server.shutdown()
    server.server_close()
    huggingface_hub.close_session()


def download(cache: Path, patterns: tuple[str, ...] = ("data/*.parquet",)) -> Path:
    return download_files("owner/toy", COMMIT, patterns, str(cache))


def partial_files(cache: Path) -> list[Path]:
    return list(cache.rglob("*.incomplete"))


def test_files_come_whole_and_only_those_asked_for(hub: Hub, tmp_path: Path) -> None:
    folder = download(tmp_path)
    assert folder.name == COMMIT
    assert {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == {
        "train.parquet": FILES["data/train.parquet"],
        "more.parquet": FILES["data/more.parquet"],
    }
    hub.asked.clear()
    assert download(tmp_path) == folder
    assert hub.asked == []


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    hub.breaks = ["data/train.parquet"]
    folder = download(tmp_path)
    assert (folder / "data/train.parquet").read_bytes() == LARGE
    assert len(hub.ranges) == 1 and hub.ranges[0].startswith("data/train.parquet from ")


def test_after_a_failed_download_only_the_missing_files_are_asked_for(hub: Hub, tmp_path: Path) -> None:
    hub.served["data/more.parquet"] = LARGE[:-1]  # one byte short of what was promised
    with pytest.raises(InputError, match=r"(?s)owner/toy@a{40}: cannot be fetched .*size.*stay in the cache"):
        download(tmp_path)
    assert not partial_files(tmp_path)
    assert not (tmp_path / f"datasets--owner--toy/snapshots/{COMMIT}/data/more.parquet").exists()
    hub.served, hub.asked = dict(FILES), []
    download(tmp_path, ("data/train.parquet",))
    assert (download(tmp_path) / "data/more.parquet").read_bytes() == LARGE[::-1]
    assert hub.asked.count("data/more.parquet") == 1


def test_bytes_that_changed_on_the_way_are_found(hub: Hub, tmp_path: Path) -> None:
    hub.served["data/train.parquet"] = b"?" + LARGE[1:]
    path = download(tmp_path) / "data/train.parquet"
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(InputError, match=rf"train\.parquet: has SHA-256 {found}, the hub states [0-9a-f]{{64}}\."):
        check_contents({"data/train.parquet": path}, {"data/train.parquet": found})
    sound = path.with_name("more.parquet")
    check_contents({"more": sound}, {"more": hashlib.sha256(LARGE[::-1]).hexdigest()})


def test_a_hub_that_is_gone_is_named_with_what_to_do(hub: Hub, tmp_path: Path) -> None:
    hub.shutdown()
    hub.server_close()
    with pytest.raises(InputError, match=r"(?s)owner/toy@a{40}: cannot be fetched.*origin mirror"):
        download(tmp_path)


def test_a_file_that_is_a_copy_without_a_link_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(SMALL)
    check_contents({"train.parquet": tmp_path / "train.parquet"}, {"train.parquet": "0" * 64})


def test_progress_goes_to_the_terminal_although_stderr_is_a_log(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from huggingface_hub.utils import enable_progress_bars

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    enable_progress_bars()  # training in this process may have turned them off
    terminal = Terminal()
    monkeypatch.setattr("sys.__stderr__", terminal)
    with Progress(total=3, desc="bytes", disable=None) as bar:
        bar.update(3)
    assert "bytes: 100%" in terminal.getvalue()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.__stderr__", io.StringIO())
    with Progress(total=3, desc="bytes", disable=None) as bar:
        bar.update(3)
    assert "bytes: 100%" in capsys.readouterr().err


@pytest.fixture
def archived(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An archive of results on the hub, and a cache of downloads of its own."""
    from huggingface_hub import constants

    manifest = tmp_path / "results" / "train" / "run" / "run.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"status": "finished"}')
    os.utime(manifest, ns=(10**18, 10**18))
    pack(tmp_path / "results", [manifest], tmp_path / "study.tar", tmp_path / "study.csv")
    content = (tmp_path / "study.tar").read_bytes()
    monkeypatch.setitem(FILES, "study.tar", content)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    hub.served["study.tar"] = content
    return content


PLACE = f"hub:owner/archives@{COMMIT}/study.tar"


def test_an_archive_comes_from_the_hub_once_and_brings_back_the_results(
    hub: Hub, archived: bytes, tmp_path: Path
) -> None:
    for name in ("clone", "second"):
        bring_archive(PLACE, tmp_path / name)
        manifest = tmp_path / name / "train" / "run" / "run.json"
        assert manifest.read_text() == '{"status": "finished"}' and manifest.stat().st_mtime_ns == 10**18
    assert hub.asked == ["study.tar"]


def test_an_archive_that_arrives_with_other_bytes_is_named_and_nothing_of_it_kept(
    hub: Hub, archived: bytes, tmp_path: Path
) -> None:
    hub.served["study.tar"] = archived.replace(b'"finished"', b'"Finished"')
    with pytest.raises(InputError, match=r"train/run/run.json"):
        bring_archive(PLACE, tmp_path / "clone")
    assert not (tmp_path / "clone" / "train" / "run" / "run.json").exists()
