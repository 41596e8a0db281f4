"""Start the server for a workflow, and the programs that stand in for bash and python while it lives."""

import atexit
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rlvr.core.warm import client

MANY = 20  # jobs; with fewer, loading everything would cost more than it saves
LOOK_EVERY_S = 0.05


def launcher(*command: str) -> bytes:
    """A shell script that runs a command with its own arguments behind it; a path may have any bytes."""
    return os.fsencode(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')


def start(
    jobs: Mapping[str, Sequence[str]], planned: Iterable[str], bash: str, many: int = MANY, wait_s: float = 0.0
) -> str | None:
    """Start a server that lives as long as this process.

    Args:
        jobs: Modules to load, by the script or module (of ``python -m``) that a job runs.
        planned: The script or module of every job that is to run, as often as it runs.
        bash: The shell that jobs are started with otherwise.
        many: How many jobs are worth a server.
        wait_s: How long to wait until it has loaded everything. Where jobs run one by one, those that start before it
            is ready would load everything a second time, beside it.

    Returns:
        The program that jobs are to be started with, to be called like bash; ``None`` if there are too few jobs.
    """
    wanted = [name for name in planned if name in jobs]
    if len(wanted) < many or os.name != "posix":
        return None
    folder = Path(tempfile.mkdtemp(prefix="rlvr-"))  # of this user alone; a socket's path must be short
    shell, python = folder / "shell" / Path(bash).name, folder / "bin" / "python"
    settings = folder / "settings.json"
    threads = dict.fromkeys(client.THREADS, "1")
    content = {
        "socket": str(folder / "socket"),
        "python": sys.executable,
        "bash": bash,
        "bin": str(python.parent),
        "jobs": sorted(set(wanted)),
        "modules": list(dict.fromkeys(module for name in jobs if name in wanted for module in jobs[name])),
        "threads": list(threads.values()),
    }
    settings.write_text(json.dumps(content), encoding="utf-8")
    for path, kind in ((shell, "shell"), (python, "python")):
        path.parent.mkdir()
        path.write_bytes(launcher(sys.executable, "-I", "-S", str(Path(client.__file__)), str(settings), kind))
        path.chmod(0o700)
    reading, writing = os.pipe()  # the driver's end closes with the driver, however that ends
    command = [sys.executable, "-m", "rlvr.core.warm.server", str(settings), str(reading)]
    server = subprocess.Popen(command, pass_fds=[reading], env={**os.environ, **threads}, stdin=subprocess.DEVNULL)
    os.close(reading)
    HELD.append(writing)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _await(server, folder / "socket", wait_s)
    return str(shell)


def _await(server: "subprocess.Popen[bytes]", address: Path, seconds: float) -> None:
    """Wait until a server listens, has ended without, or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not address.exists() and server.poll() is None:
        time.sleep(LOOK_EVERY_S)


HELD: list[int] = []  # writing ends: never written to, closed by the end of this process
