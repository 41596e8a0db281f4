"""A headless Chromium, driven over a pipe by the DevTools protocol: no driver and no Python package is needed.

SOURCE: https://chromedevtools.github.io/devtools-protocol/ (domains Page, Runtime, Input, Emulation, Network, Log and
Browser); with ``--remote-debugging-pipe`` messages are JSON texts that end in a zero byte, read by the browser from
file descriptor 3 and written by it to 4.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_S = 60
FIRST_FREE = 20  # descriptor from which on ours lie
KEYS = {  # name: code, virtual key, text
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
    "+": ("Equal", 187, "+"),
    "-": ("Minus", 189, "-"),
    " ": ("Space", 32, " "),
}


def find_chromium() -> str | None:
    """The browser's program, if this machine has one."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Browser:
    """One page of a running browser, with everything that it complained about or asked the network for."""

    def __init__(self, process: subprocess.Popen[bytes], write: int, read: int) -> None:
        self._process, self._write, self._read = process, write, read
        self._count, self._buffer = 0, b""
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._read, 2**20) if ready else b""
            if not chunk:
                raise RuntimeError("The browser does not answer.")
            self._buffer += chunk
        text, _, self._buffer = self._buffer.partition(b"\0")
        message = dict(json.loads(text))
        if "method" in message:
            self.events.append(message)
        return message

    def open(self, url: str, width: int, height: int) -> None:
        """Open a page in a window of this size in CSS pixels, and wait until it is loaded."""
        self.resize(width, height)
        self.events.clear()
        self.call("Page.navigate", url=url)
        deadline = time.monotonic() + PATIENCE_S
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{url} was not loaded.")
            self.run("0")

    def resize(self, width: int, height: int) -> None:
        """Give the window a size in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key: str, shift: bool = False) -> None:
        """Press a key and let it go."""
        code, number, text = KEYS[key]
        common = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        for letter in text:
            self.call("Input.dispatchKeyEvent", type="keyDown", text=letter, key=letter)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=letter)

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, exceptions, and entries of the log."""
        self.run("0")
        found = []
        for event in self.events:
            inner = event["params"]
            if event["method"] == "Runtime.consoleAPICalled" and inner["type"] in ("error", "warning", "assert"):
                found.append(str(inner["args"]))
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(str(inner["exceptionDetails"]))
            elif event["method"] == "Log.entryAdded" and inner["entry"]["level"] in ("error", "warning"):
                found.append(str(inner["entry"]["text"]))
        return found

    def requests(self) -> list[str]:
        """Addresses that were asked for, without data that the page brings along."""
        self.run("0")
        sent = (event for event in self.events if event["method"] == "Network.requestWillBeSent")
        return [url for event in sent if not (url := event["params"]["request"]["url"]).startswith(("data:", "blob:"))]

    def picture(self, path: Path) -> None:
        """Save what the window shows as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def save_downloads(self, folder: Path) -> None:
        """Save what is downloaded in a folder."""
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))


def wait_for_file(path: Path) -> bytes:
    """The content of a file once it is there and has stopped growing."""
    deadline, size = time.monotonic() + PATIENCE_S, -1
    while time.monotonic() < deadline:
        if path.is_file() and path.stat().st_size == size:
            return path.read_bytes()
        size = path.stat().st_size if path.is_file() else -1
        time.sleep(0.1)
    raise TimeoutError(f"{path} was not downloaded.")


def high_pipe() -> tuple[int, int]:
    """A pipe whose ends are not among the descriptors that the browser looks at."""
    ends = os.pipe()
    read, write = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE) for end in ends)
    for end in ends:
        os.close(end)
    return read, write


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A headless browser with a fresh profile; it is closed at the end.

    Args:
        profile: Folder for its profile.
    """
    program = find_chromium()
    assert program is not None
    (to_browser, write), (read, from_browser) = high_pipe(), high_pipe()
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run", "--mute-audio"]
    rooted = ["--no-sandbox"] if os.geteuid() == 0 else []
    options = ["--headless=new", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
    # The shell moves our ends of the pipes to the descriptors that the browser looks at.
    command = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
    process = subprocess.Popen(
        ["bash", "-c", command, "bash", program, *options, *quiet, *rooted, "about:blank"],
        pass_fds=(to_browser, from_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        yield Browser(process, write, read)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        os.close(write)
        os.close(read)
