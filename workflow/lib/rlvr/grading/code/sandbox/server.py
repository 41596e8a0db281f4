"""The server of one grading process: for every program it forks a judge and the program, and ends both.

It is started once, loads what programs usually import, and walls itself off; a program then costs forks, no
interpreter. It never reads a program or a test: those go to the judge over a socket that it only hands on.
"""

import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from rlvr.grading.code.sandbox import walls
from rlvr.grading.code.sandbox.channel import ChannelError, receive, send
from rlvr.grading.code.sandbox.judge import run_tests
from rlvr.grading.code.sandbox.limits import Limits, apply_limits
from rlvr.grading.code.sandbox.submission import serve_program

READY, FINISHED, STOPPED, BROKEN = b"+", b".", b"!", b"?"  # what the server says of itself and of a judge
COMMON = (
    "bisect",
    "collections",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
)  # imported once
GRACE_S = 1.0  # for the judge to notice by itself that the time is over


def main() -> None:
    """Serve the caller: the arguments are the descriptor of its socket, the limits, and whether to wall off."""
    control = socket.socket(fileno=int(sys.argv[1]))
    limits, walled = Limits(**json.loads(sys.argv[2])), sys.argv[3] == "namespaces"
    sys.path = [path for path in sys.path if Path(path).is_relative_to(sys.base_prefix)]
    for name in COMMON:
        import_module(name)
    try:
        if walled:
            walls.enter_walls()
        else:
            walls.die_with_parent()
            walls.adopt_orphans()
    except OSError as error:
        control.sendall(str(error).encode())
        return
    control.sendall(READY)
    serve(control, limits, walled)


def serve(control: socket.socket, limits: Limits, walled: bool) -> None:
    """Judge programs one at a time until the caller is gone."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        folder = None if walled else tempfile.mkdtemp()
        judge = os.fork()
        if judge == 0:
            control.close()
            _run(_judge, socket.socket(fileno=descriptors[0]), limits, folder)
        os.close(descriptors[0])
        ended = _wait(judge, control, limits.wall_s + GRACE_S)
        _end_everything(walled)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        control.sendall(ended)


def _wait(judge: int, control: socket.socket, seconds: float) -> bytes:
    """How the judge ended: by itself, not in time or over a limit, or in an error; without a caller, end the server."""
    process = os.pidfd_open(judge)
    poll = select.poll()
    poll.register(process, select.POLLIN)
    poll.register(control, select.POLLIN)
    try:
        ready = dict(poll.poll(seconds * 1000))
        if process not in ready:
            if ready:
                _end_everything(os.getpid() == 1)
                os._exit(0)
            return STOPPED
        info = os.waitid(os.P_PIDFD, process, os.WEXITED | os.WNOWAIT)
        if info is None or info.si_code != os.CLD_EXITED:
            return STOPPED
        return BROKEN if info.si_status else FINISHED
    finally:
        os.close(process)


def _end_everything(walled: bool) -> None:
    """Kill and reap every descendant, whatever session or process group it fled to."""
    if walled:
        if os.getpid() != 1:
            raise RuntimeError("the server is not the first process of its namespace")
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            for child in () if walled else _children():
                os.kill(child, signal.SIGKILL)
            os.waitpid(-1, 0)


def _children() -> list[int]:
    """Children of this process, which orphans become as well."""
    return [int(child) for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split()]


def _judge(wire: socket.socket, limits: Limits, folder: str | None) -> None:
    """The judge's process: fork the program before the tests are read, so that it holds no trace of them."""
    program = receive(wire)
    if folder:
        os.chdir(folder)
        os.chown(folder, *([walls.NOBODY] * 2 if os.geteuid() == 0 else [-1, -1]))
    else:
        walls.enter_cell(limits.disk_bytes)
    ours, theirs = socket.socketpair()
    process = os.fork()
    if process == 0:
        _run(_become_program, program, theirs, limits)
    theirs.close()
    apply_limits(limits)  # tests come with the data, and are trusted no more than programs
    walls.drop_privileges()
    walls.die_with_parent()
    walls.hide_memory()
    ours.settimeout(limits.wall_s)
    if receive(ours) != READY.decode():
        raise ChannelError("the program is not confined")
    how, passed = run_tests(ours, **receive(wire))
    if how == "gone" and _used_up(process, limits):
        how = "timed out"
    send(wire, [how, passed])


def _used_up(process: int, limits: Limits) -> bool:
    """Whether a program that no longer answers was ended at its limit of CPU time.

    Within its walls only the kernel can send it that signal. The kernel's two counts of CPU time differ by up to some
    tenths; a program that the kernel ended because memory was short has used little.
    """
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)  # it may only have fallen silent
    _, _, usage = os.wait4(process, 0)
    return usage.ru_utime + usage.ru_stime >= limits.cpu_s / 2


def _become_program(text: str, judge: socket.socket, limits: Limits) -> None:
    """The program's process: give up everything, say so, run it."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    os.dup2(judge.fileno(), 3)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    wire = socket.socket(fileno=3)
    os.environ.clear()
    sys.argv = [""]
    apply_limits(limits)
    walls.drop_privileges()
    walls.die_with_parent()
    send(wire, READY.decode())
    serve_program(text, wire)


def _run(work: Callable[..., None], *arguments: Any) -> None:
    """All that a forked child does; it never returns into its parent's code."""
    status = 1
    try:
        work(*arguments)
        status = 0
    finally:
        os._exit(status)
