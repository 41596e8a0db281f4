"""A hub on this machine that keeps what is uploaded to it: enough of the interface of the Hugging Face hub for tests.

It speaks the protocol of large files over plain HTTP; that of Xet, by which huggingface_hub uploads where the package
hf_xet is installed, belongs to a service of its own and is switched off for these tests.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

TOKEN = "hf_" + "x" * 34
LARGE = (".safetensors",)  # endings of files that go another way than those of text


class UploadHub(ThreadingHTTPServer):
    """Repositories with their commits, oldest first, and the requests that came.

    Attributes:
        commits: Of each repository, name of the commit and its files.
        private: Of each repository that was made by a request, whether it is private.
        blobs: Large files by their SHA-256.
        tokens: What requests that write brought as authorization.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Requests)
        self.commits: dict[str, list[tuple[str, dict[str, bytes]]]] = {}
        self.private: dict[str, bool] = {}
        self.blobs: dict[str, bytes] = {}
        self.tokens: set[str | None] = set()
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def add_commit(self, repository: str, files: dict[str, bytes]) -> str:
        """A new commit over the last one; returns its name."""
        earlier = self.commits.setdefault(repository, [])
        whole = (dict(earlier[-1][1]) if earlier else {}) | files
        content = "".join(f"{name} {hashlib.sha256(data).hexdigest()}\n" for name, data in sorted(whole.items()))
        commit = hashlib.sha1(f"{len(earlier)}\n{content}".encode(), usedforsecurity=False).hexdigest()
        earlier.append((commit, whole))
        return commit


class Requests(BaseHTTPRequestHandler):
    """The requests that huggingface_hub makes to upload a folder, and to download a snapshot."""

    server: UploadHub

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/models/"):
            repository, _, asked = path.removeprefix("/api/models/").partition("/tree/")
            self._list(repository, asked.partition("/")[0]) if asked else self._describe(repository)
        else:
            self._send_file(path, body=True)

    def do_HEAD(self) -> None:
        self._send_file(unquote(urlsplit(self.path).path), body=False)

    def do_PUT(self) -> None:
        data = self._body()
        digest = self.path.rpartition("/")[2]
        whole = hashlib.sha256(data).hexdigest() == digest
        if whole:
            self.server.blobs[digest] = data
        self._answer({}, 200 if whole else 400)

    def do_POST(self) -> None:
        path, body = urlsplit(self.path).path, self._body()
        self.server.tokens.add(self.headers.get("Authorization"))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer({"error": "Invalid credentials"}, 401)
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif path.endswith("/objects/batch"):
            self._answer({"transfer": "basic", "objects": [self._place(each) for each in json.loads(body)["objects"]]})
        elif "/preupload/" in path:
            files = [
                {
                    "path": each["path"], "shouldIgnore": False, "oid": None,
                    "uploadMode": "lfs" if each["path"].endswith(LARGE) else "regular",
                }
                for each in json.loads(body)["files"]
            ]  # fmt: skip
            self._answer({"files": files})
        else:
            self._commit(path.removeprefix("/api/models/").partition("/commit/")[0], body)

    def _create(self, asked: dict[str, Any]) -> None:
        repository = f"{asked['organization']}/{asked['name']}"
        known = repository in self.server.commits
        if not known:
            self.server.commits[repository] = []
            self.server.private[repository] = asked.get("visibility") == "private"
        self._answer({"url": f"{self.server.address}/{repository}", "name": repository}, 409 if known else 200)

    def _place(self, wanted: dict[str, Any]) -> dict[str, Any]:
        upload = {"href": f"{self.server.address}/upload/{wanted['oid']}"}
        return {**wanted, "actions": {"upload": upload}}

    def _commit(self, repository: str, body: bytes) -> None:
        lines = [json.loads(line) for line in body.splitlines()]
        files = {each["value"]["path"]: self._content(each) for each in lines if each["key"] in ("file", "lfsFile")}
        commit = self.server.add_commit(repository, files)
        url = f"{self.server.address}/{repository}/commit/{commit}"
        self._answer({"commitUrl": url, "commitOid": commit, "success": True})

    def _content(self, line: dict[str, Any]) -> bytes:
        value = line["value"]
        return base64.b64decode(value["content"]) if line["key"] == "file" else self.server.blobs[value["oid"]]

    def _describe(self, repository: str) -> None:
        repository = repository.partition("/revision/")[0]
        kept = self.server.commits.get(repository)
        self._answer({"id": repository, "sha": kept[-1][0]} if kept else {}, 200 if kept else 404)

    def _list(self, repository: str, commit: str) -> None:
        files = dict(self.server.commits[repository])[commit]
        listed = [{"type": "file", "path": name, "size": len(data), "oid": "0" * 40} for name, data in files.items()]
        self._answer(listed)

    def _send_file(self, path: str, body: bool) -> None:
        repository, _, rest = path.strip("/").partition("/resolve/")
        commit, _, name = rest.partition("/")
        found = dict(self.server.commits.get(repository, [])).get(commit, {}).get(name)
        digest = hashlib.sha256(found or b"").hexdigest()
        self._send(found or b"", 404 if found is None else 200, body, {"X-Repo-Commit": commit, "ETag": f'"{digest}"'})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, content: Any, status: int = 200) -> None:
        self._send(json.dumps(content).encode(), status, True, {"Content-Type": "application/json"})

    def _send(self, data: bytes, status: int, body: bool, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


@contextmanager
def running_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[UploadHub]:
    """A running hub, huggingface_hub pointed to it, and the token that it wants in the environment."""
    import huggingface_hub
    from huggingface_hub import constants

    server = UploadHub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
    settings = {"ENDPOINT": server.address, "HUGGINGFACE_CO_URL_TEMPLATE": template, "HF_HUB_OFFLINE": False}
    for name, value in {**settings, "HF_HUB_DISABLE_XET": True}.items():
        monkeypatch.setattr(constants, name, value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    huggingface_hub.close_session()
    try:
        with huggingface_hub.utils.disable_progress_bars():
            yield server
    finally:
        server.shutdown()
        server.server_close()
        huggingface_hub.close_session()
