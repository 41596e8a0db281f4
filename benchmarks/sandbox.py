"""The sandbox under about 200 hostile programs: verdicts, leaks, times; normal ones beside a plain `subprocess` loop.

The loop is what a script does: one interpreter per program, the tests behind it, the exit status as the verdict.
Hostile programs only ever run in the sandbox, under shorter limits than the verifier's.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
from harness import Row, faster, measure, report
from programs import HOSTILE, MARK, NORMAL, SECRET, SECRET_NAME, TESTS, make_programs

from rlvr.grading.batches import Completion, Resources, grade_all
from rlvr.grading.code.sandbox.launch import Cases, run_tests
from rlvr.grading.code.sandbox.limits import Limits
from rlvr.grading.code.solutions import VERDICTS

LIMITS = Limits(wall_s=3.0 + os.getpid() * 1e-6, cpu_s=1)  # the odd fraction tells our servers from those of others
CASES = Cases(TESTS)
WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
GOLD, META = "def f(x): return x + 1", json.dumps({"test_list": TESTS})
FOLDERS = (tempfile.gettempdir(), "/var/tmp", "/dev/shm", "/", "/usr/lib", str(Path.home()), ".")


@dataclass(frozen=True)
class Run:
    """One program in the sandbox."""

    kind: str
    verdict: str
    right: bool
    seconds: float


@dataclass(frozen=True)
class Leaks:
    """Counts of what the hostile programs left behind or reached; every one must be zero."""

    processes: int
    files: int
    connections: int


def judge(text: str, limits: Limits) -> str:
    """Verdict of one program."""
    return VERDICTS[run_tests(text, CASES, limits).how][0]


def run_hostile(limits: Limits) -> tuple[list[Run], Leaks]:
    """Every hostile program once, a secret and an open port within what would be reach."""
    os.environ[SECRET_NAME] = SECRET
    runs = []
    with tempfile.NamedTemporaryFile() as secret, socket.create_server(("127.0.0.1", 0)) as listener:
        for kind, text, right in make_programs(HOSTILE, secret.name, listener.getsockname()[1]):
            start = time.perf_counter()
            verdict = judge(text, limits)
            runs.append(Run(kind, verdict, verdict in right, time.perf_counter() - start))
        listener.setblocking(False)
        return runs, Leaks(count_processes(limits), count_files(), count_connections(listener))


def count_processes(limits: Limits) -> int:
    """Processes of these servers, on the whole machine, beyond the two that each consists of."""
    mine = [process for process in psutil.process_iter(["cmdline"]) if str(limits.wall_s) in _command(process)]
    return len(mine) - 2


def _command(process: psutil.Process) -> str:
    return " ".join(process.info["cmdline"] or [])


def count_files() -> int:
    """Files that a hostile program was able to leave."""
    folders = [Path(folder) for folder in FOLDERS if Path(folder).is_dir()]
    return sum(path.name.startswith(MARK) for folder in folders for path in folder.iterdir())


def count_connections(listener: socket.socket) -> int:
    """Whether anybody came."""
    try:
        listener.accept()
    except BlockingIOError:
        return 0
    return 1


def ours() -> list[str]:
    """Verdicts on the normal programs, one after the other."""
    return [judge(text, LIMITS) for _, text, _ in make_programs(NORMAL)]


def ours_in_workers() -> list[str]:
    """Judge all normal programs in worker processes, as evaluation and training do; verdicts in order."""
    asked = [Completion(f"```python\n{text}\n```", GOLD, "code", META) for _, text, _ in make_programs(NORMAL)]
    return [one.verdict for one in grade_all(asked, Resources(WORKERS))]


def plain_loop() -> list[str]:
    """Judge all normal programs in a loop, each script in an interpreter of its own; verdicts in order."""
    found = []
    for _, text, _ in make_programs(NORMAL):
        script = "\n".join([text, *TESTS])
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=10)
        found.append("wrong" if done.returncode else "correct")
    return found


def speed() -> list[Row]:
    """Normal programs beside the loop; all must give the right verdicts."""
    programs = list(make_programs(NORMAL))
    peer = measure(plain_loop, repeat=2)
    rows = []
    for case, function in (("one server", ours), (f"grader, {WORKERS} workers, start included", ours_in_workers)):
        mine = measure(function, repeat=2)
        if not all(verdict in right for verdict, (_, _, right) in zip(mine.value, programs, strict=True)):
            raise AssertionError(f"a normal program has a wrong verdict: {mine.value}")
        rows.append(faster(f"{len(programs)} normal programs, {case}", mine, peer, "plain subprocess loop"))
    return rows


def hostility() -> list[Row]:
    """Right verdicts of every kind of hostile program, what each took, and what leaked."""
    runs, leaks = measure(run_hostile, LIMITS).value
    kinds = defaultdict(list)
    for run in runs:
        kinds[run.kind].append(run)
    rows = [_verdicts(kind, members) for kind, members in kinds.items()]
    rows.append(_verdicts("all hostile programs", runs))
    slowest = max(run.seconds for run in runs)
    rows.append(Row("slowest hostile program", slowest, LIMITS.wall_s + 2, "its limit, and 2 s", None, "s"))
    rows.append(
        Row("hostile program", median(run.seconds for run in runs), LIMITS.wall_s, "its limit", None, "s (median)")
    )
    for name in ("processes", "files", "connections"):
        rows.append(Row(f"{name} that escaped", getattr(leaks, name), 0, "target", None, "count"))
    if wrong := [run for run in runs if not run.right] or (leaks if leaks != Leaks(0, 0, 0) else None):
        raise AssertionError(f"not every wall holds: {wrong}")
    return rows


def _verdicts(case: str, runs: list[Run]) -> Row:
    right = sum(run.right for run in runs)
    found = ", ".join(sorted({run.verdict for run in runs}))
    return Row(f"{case}: {found}", right, len(runs), "programs", right / len(runs), "right verdicts")


if __name__ == "__main__":
    report("sandbox", [*speed(), *hostility()])
