"""Run a program against tests; the only part of the sandbox that the rest of the library calls."""

import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import rlvr
from rlvr.core.deafness import starting_deaf
from rlvr.core.errors import InputError
from rlvr.grading.code.sandbox import server
from rlvr.grading.code.sandbox.channel import ChannelError, receive, send
from rlvr.grading.code.sandbox.limits import Limits

How = Literal["passed", "failed", "not python", "timed out", "gone"]
WALLS = "RLVR_SANDBOX"  # environment variable: "limits" accepts a sandbox without namespaces
START_S = 60.0  # for the server's start, on a busy machine
PATIENCE_S = 30.0  # beyond a program's own time, for the same reason
BOOT = f"import sys; sys.path.insert(0, sys.argv.pop()); from {server.__name__} import main; main()"
SERVER_ENVIRONMENT = {"PYTHONHASHSEED": "0"}  # the order of sets must not decide a verdict


@dataclass(frozen=True, slots=True)
class Cases:
    """The tests that a program must pass; run by ``judge.run_tests``.

    Attributes:
        tests: Statements; one that raises fails.
        setup: Code that runs between the program and the tests.
        imports: Import statements that the tests rely on.
        redefined: Names, also those of built-in functions, that mean the program's own.
    """

    tests: tuple[str, ...]
    setup: str = ""
    imports: tuple[str, ...] = ()
    redefined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a program that was run against tests.

    Attributes:
        how: ``passed`` all tests; ``failed`` one, or raised; ``not python``: does not compile; ``timed out``; ``gone``:
            its process ended, or was ended because of its memory.
        passed: Cases passed before that.
    """

    how: How
    passed: int


class ServerLostError(Exception):
    """The server ended, which nothing that it runs can cause."""


def run_tests(program: str, tests: Cases, limits: Limits | None = None) -> Outcome:
    """Run a program that nobody trusts and test it.

    Args:
        program: Python.
        tests: What it must pass.
        limits: What it may use.

    Raises:
        InputError: If this system offers no namespaces, and the weaker sandbox was not asked for.
        ServerLostError: If the sandbox itself fails, twice.
    """
    limits = limits or Limits()
    try:
        return _server(os.getpid(), limits).ask(program, tests)
    except ServerLostError:
        _server.cache_clear()
        return _server(os.getpid(), limits).ask(program, tests)


@lru_cache(maxsize=2)
def _server(_owner: int, limits: Limits) -> "Server":
    """The server of this process; a forked child starts its own."""
    return Server(limits, os.environ.get(WALLS, "namespaces"))


class Server:
    """A running server and the socket to it; ends when it is closed or this process ends."""

    def __init__(self, limits: Limits, walls: str) -> None:
        """Start it.

        Raises:
            InputError: If it cannot wall itself off.
        """
        if not sys.platform.startswith("linux"):
            raise InputError("sandbox", "programs of models run on Linux only.", "Grade this benchmark on Linux.")
        if walls not in ("namespaces", "limits"):
            raise InputError(f"environment variable {WALLS}", f"is {walls!r}.", "Set it to namespaces or limits.")
        self._limits = limits
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        self._process = _start(theirs, limits, walls)
        theirs.close()
        self._control.settimeout(START_S)
        said = self._control.recv(2**12)
        if said != server.READY:
            self.close()
            reason = said.decode() or "the server did not start"
            raise InputError(
                "sandbox",
                f"this system lets no program be walled off ({reason}).",
                f"Allow user namespaces, or set {WALLS}=limits: programs then see files and the network.",
            )

    def ask(self, program: str, tests: Cases) -> Outcome:
        """Run one program; others of this process wait.

        Raises:
            ServerLostError: If the server is gone or does not answer.
        """
        with self._lock:
            mine, theirs = socket.socketpair()
            with mine:
                patience = self._limits.wall_s + PATIENCE_S
                mine.settimeout(patience)
                self._control.settimeout(patience)
                try:
                    with theirs:
                        socket.send_fds(self._control, [b"+"], [theirs.fileno()])
                    answer = _converse(mine, program, tests)
                    ended = self._control.recv(1)
                except OSError as error:
                    self.close()
                    raise ServerLostError("the sandbox does not answer") from error
        if ended not in (server.FINISHED, server.STOPPED):
            self.close()
            raise ServerLostError("the sandbox failed")
        return Outcome("timed out", 0) if answer is None else Outcome(*answer)

    def close(self) -> None:
        """End the server and everything in it."""
        self._control.close()
        self._process.kill()
        self._process.wait()


def _start(control: socket.socket, limits: Limits, walls: str) -> "subprocess.Popen[bytes]":
    """Start a server, which does not hear SIGTERM and ends with its caller."""
    library = str(Path(rlvr.__file__).parents[1])
    python = [sys.executable, "-B", "-s", "-S", "-P", "-c", BOOT]  # -B: it writes nothing beside our sources
    arguments = [str(control.fileno()), json.dumps(asdict(limits)), walls, library]
    with starting_deaf():
        return subprocess.Popen(
            [*python, *arguments],
            pass_fds=[control.fileno()],
            env=SERVER_ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _converse(wire: socket.socket, program: str, tests: Cases) -> tuple[How, int] | None:
    """Send program and tests to the judge; its answer and the number of tests passed, or ``None`` if it is silent."""
    try:
        send(wire, program)
        send(wire, asdict(tests))
        how, passed = receive(wire)
    except ChannelError:
        return None
    return how, passed
