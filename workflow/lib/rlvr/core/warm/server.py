"""The process that forks jobs: libraries loaded once, one fork per job, no job left when the workflow ends.

``python -m rlvr.core.warm.server <settings> <descriptor>`` is started by ``keeper.start`` and lives as long as its
driver: it reads from a pipe whose other end the driver holds and never writes to. When the driver ends, however it
ends, the pipe closes, and the server kills what still runs. A job whose client was killed is killed, too.
"""

import atexit
import contextlib
import ctypes
import importlib
import json
import os
import random
import runpy
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rlvr.core.imports import collector_paused
from rlvr.core.warm.client import LENGTH, NOT_TAKEN

BACKLOG = 64
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl
GRACE_S = 5.0  # between SIGTERM and SIGKILL
PAUSE_S = 0.01
FORKS_WELL = ("jemalloc_bg_thd",)  # threads of libraries that expect forks: of pyarrow's memory pool


@dataclass(frozen=True)
class Job:
    """What a client asks for: arguments of python, folder, variables, and its standard files."""

    arguments: list[str]
    folder: str
    variables: dict[str, str]
    files: list[int]


class Server:
    """Accepts jobs, forks, and answers with their exit statuses.

    Attributes:
        running: Connection of the client by process of its job.
        driver_ended: Whether the driver's end of the pipe has been closed.
    """

    def __init__(self, address: str, lifeline: int) -> None:
        """Listen; ``lifeline`` is the reading end of the driver's pipe."""
        self.lifeline, self.running, self.driver_ended = lifeline, dict[int, socket.socket](), False
        self.listener = socket.socket(socket.AF_UNIX)
        self.selector = selectors.DefaultSelector()
        self.woken, self.waker = socket.socketpair()
        for end in (self.woken, self.waker):
            end.setblocking(False)
        self.interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all: clients answer it
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, stop)
        signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        self.listener.bind(address)
        self.listener.listen(BACKLOG)
        for source in (self.lifeline, self.listener, self.woken):
            self.selector.register(source, selectors.EVENT_READ)

    def serve(self) -> Job | None:
        """Fork jobs until the driver ends.

        Returns:
            In a fork its job; in the server ``None``, at its end.
        """
        try:
            while True:
                for key, _ in self.selector.select():
                    if key.fileobj == self.lifeline:
                        self.driver_ended = True
                        return None
                    if key.fileobj is self.listener:
                        job = self._accept()
                        if job is not None:
                            return job
                    elif key.fileobj is self.woken:
                        self.woken.recv(4096)
                        self._reap()
                    else:
                        self._abandon(key.fileobj)
        except Stopped:
            return None

    def end(self) -> None:
        """Kill what still runs, the descendants of jobs included."""
        kill(self.running)

    def _accept(self) -> Job | None:
        """Take one job and fork; the job in the fork, ``None`` in the server."""
        connection, _ = self.listener.accept()
        try:
            job = receive(connection)
        except (OSError, ValueError, KeyError):
            connection.close()
            return None
        # SIGTERM waits: a fork that took it for the server's would end the server's other jobs.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            return job if self._is_fork(job, connection) else None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _is_fork(self, job: Job, connection: socket.socket) -> bool:
        """Fork for a job; true in the fork. A client whose job gets no process is told to run it itself."""
        process = None
        with contextlib.suppress(OSError):  # too many processes, too little memory
            process = os.fork()
        if process == 0:
            self._become_job(connection)
            return True
        for file in job.files:
            os.close(file)
        if process is None:
            with contextlib.suppress(OSError):  # the client has gone meanwhile
                connection.sendall(NOT_TAKEN.encode())
            connection.close()
        else:
            self.running[process] = connection
            self.selector.register(connection, selectors.EVENT_READ)
        return False

    def _become_job(self, connection: socket.socket) -> None:
        """Leave nothing of the server in a fork."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, self.interrupt)
        self.selector.close()
        for held in (self.listener, self.woken, self.waker, connection, *self.running.values()):
            held.close()
        os.close(self.lifeline)

    def _reap(self) -> None:
        """Answer the clients whose jobs have ended."""
        while self.running:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return
            connection = self.running.pop(process, None)
            if connection is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            with contextlib.suppress(OSError):  # the client has gone meanwhile
                connection.sendall(str(code if code >= 0 else 128 - code).encode())
            self._forget(connection)

    def _abandon(self, connection: object) -> None:
        """Kill the job of a client that has ended before it."""
        for process, held in list(self.running.items()):
            if held is connection:
                kill([process])
                del self.running[process]
                self._forget(held)

    def _forget(self, connection: socket.socket) -> None:
        self.selector.unregister(connection)
        connection.close()


class Stopped(Exception):
    """SIGTERM."""


def stop(number: int, frame: FrameType | None) -> None:
    """Handle SIGTERM: leave the loop."""
    raise Stopped


def kill(processes: Iterable[int]) -> None:
    """End jobs with all that they have started: each leads a session of its own."""
    waiting = list(processes)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in waiting:
            signal_group(process, number)
        deadline = time.monotonic() + GRACE_S
        while waiting and time.monotonic() < deadline:
            waiting = [process for process in waiting if os.waitpid(process, os.WNOHANG)[0] == 0]
            time.sleep(PAUSE_S if waiting else 0)
    for process in processes:
        signal_group(process, signal.SIGKILL)  # what a job had started and left


def signal_group(process: int, number: int) -> None:
    """Send a signal to all processes of a job, if there are any."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, number)


def receive(connection: socket.socket) -> Job:
    """Read a job from a connection.

    Raises:
        ValueError: If what arrives is no job.
    """
    connection.settimeout(GRACE_S)
    head, files, _, _ = socket.recv_fds(connection, LENGTH.size, 3)
    if len(head) != LENGTH.size or len(files) != 3:
        raise ValueError("no job")
    (length,) = LENGTH.unpack(head)
    stream = connection.makefile("rb")
    content = json.loads(stream.read(length))
    connection.settimeout(None)
    return Job(content["arguments"], content["folder"], content["variables"], files)


def prepare(job: Job, parent: int) -> None:
    """Make this fork what a fresh python of the client would be: files, folder, variables, random numbers, session."""
    os.setsid()
    die_with(parent)
    for number, file in enumerate(job.files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(job.folder)
    os.environ.clear()
    os.environ.update(job.variables)
    tempfile.tempdir = None  # found anew from the job's variables
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, where the kernel can (Linux)."""
    try:
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    except (OSError, AttributeError):
        return
    if os.getppid() != parent:
        os._exit(1)


def run(arguments: list[str]) -> int:
    """Run ``<script> ...`` or ``-m <module> ...`` as python's main program; its exit status."""
    try:
        if arguments[0] == "-m":
            sys.argv, sys.path[0] = arguments[1:], str(Path.cwd())
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = arguments, str(Path(arguments[0]).parent)
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def finish(status: int) -> None:
    """End this fork as python ends, without taking the loaded libraries apart."""
    threading._shutdown()  # type: ignore[attr-defined]  # joins what still runs, as python does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(OSError, ValueError):  # closed by the job
            if stream is not None:
                stream.flush()
    os._exit(status)


def is_single_threaded() -> bool:
    """Whether this process may be forked; threads of libraries would be missing in a fork."""
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        return threading.active_count() == 1
    return sum((task / "comm").read_text(encoding="utf-8").strip() not in FORKS_WELL for task in tasks.iterdir()) == 1


def hold_finalizers() -> list[weakref.finalize]:
    """Keep what the loaded libraries want done at the end of this process out of the ends of its forks.

    It is this process's to do; that a fork asks each library costs it as much as a small job does. What a job registers
    by itself is done when the job ends, as always.

    Returns:
        What was held, for the end of this process.
    """
    held = [each for each in list(weakref.finalize._registry) if each.atexit]  # type: ignore[attr-defined]
    for finalizer in held:
        finalizer.atexit = False
    return held


def main(settings_path: str, lifeline: int) -> None:
    """Load, listen, serve."""
    settings: Mapping[str, str] = json.loads(Path(settings_path).read_text(encoding="utf-8"))
    with collector_paused():
        for name in settings["modules"]:
            importlib.import_module(name)
    if not is_single_threaded():
        print("Jobs are started without warm processes: a loaded library has threads.", file=sys.stderr)
        return
    held = hold_finalizers()
    parent = os.getpid()
    server = Server(settings["socket"], lifeline)
    job = server.serve()
    if job is not None:
        prepare(job, parent)
        finish(run(job.arguments))
    for finalizer in held:
        finalizer.atexit = True
    server.end()
    if server.driver_ended:  # until then it starts jobs with the programs in this folder
        shutil.rmtree(Path(settings_path).parent, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
