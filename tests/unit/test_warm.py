"""Jobs as forks of a loaded process: what a job sees, how it ends, and that nothing outlives the workflow."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rlvr.core.warm import keeper
from rlvr.core.warm.client import THREADS, module_of, script_of
from rlvr.core.warm.server import hold_finalizers

LIBRARY = Path(__file__).resolve().parents[2] / "workflow" / "lib"
ONE_THREAD = dict.fromkeys(THREADS, "1")
LOADED = "import sys; print('colorsys' in sys.modules)"  # the server of these tests loads it, nothing else does
DRIVER = """
import sys, time
from rlvr.core.warm import keeper
print(keeper.start({"job": ["colorsys"]}, ["job"] * keeper.MANY, "/bin/bash"), flush=True)
time.sleep(600)
"""


class Driver:
    """Stands in for snakemake: holds the pipe, knows the program that jobs are started with."""

    def __init__(self, folder: Path, *more: Path) -> None:
        paths = os.pathsep.join(map(str, (LIBRARY, *more)))
        environment = {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER], stdout=subprocess.PIPE, text=True, env=environment
        )
        self.starter = self.process.stdout.readline().strip()
        self.folder = Path(self.starter).parents[1]
        wait_until((self.folder / "socket").exists)

    def command(self, script: Path) -> list[str]:
        return [self.starter, "-c", f"set -euo pipefail; {sys.executable} {script}"]

    def run(self, script: Path, **settings) -> subprocess.CompletedProcess:
        pipes = {"capture_output": True, "text": True, "check": False}
        return subprocess.run(self.command(script), **{"env": {**os.environ, **ONE_THREAD}, **pipes, **settings})

    def start(self, script: Path) -> subprocess.Popen:
        return subprocess.Popen(self.command(script), env={**os.environ, **ONE_THREAD}, stderr=subprocess.PIPE)


def wait_until(true, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def alive(process: int) -> bool:
    """Whether a process runs; one that nobody has waited for has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def driver(tmp_path_factory):
    started = Driver(Path("/tmp"))
    yield started
    started.process.kill()
    started.process.wait()


def script(folder: Path, text: str, rule: str = "job") -> Path:
    path = folder / f"tmpabc.{rule}.py"
    path.write_text(textwrap.dedent(text))
    return path


SEES = """
    import os, sys, tempfile
    print(__name__, os.path.basename(__file__), sys.argv, os.getcwd(), tempfile.gettempdir(), sys.path[0])
    print(os.environ["MINE"], sorted(name for name in os.environ if name != "_"), file=sys.stderr)
    print(sys.stdin.read())
"""


def test_a_fork_sees_what_a_fresh_python_sees(driver, tmp_path) -> None:
    file = script(tmp_path, SEES)
    folder = tmp_path / "another"
    folder.mkdir()
    own = {"env": {**os.environ, **ONE_THREAD, "MINE": "1", "TMPDIR": str(folder)}, "cwd": folder, "input": "word"}
    warm = driver.run(file, **own)
    fresh = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=False, **own)
    assert warm.returncode == fresh.returncode == 0
    assert (warm.stdout, warm.stderr) == (fresh.stdout, fresh.stderr)
    assert driver.run(script(tmp_path, LOADED)).stdout == "True\n"


THREADED = """
    import sys, threading, time
    threading.Thread(target=lambda: (time.sleep(0.2), sys.stderr.write("end"))).start()
"""


@pytest.mark.parametrize(
    ("text", "code", "error"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('said')", 1, "said\n"),
        ("import os; os._exit(5)", 5, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137, ""),
        ("import sys; sys.excepthook = lambda *_: sys.stderr.write('hook\\n'); 1 / 0", 1, "hook\n"),
        ("import atexit, sys; atexit.register(lambda: sys.stderr.write('exit\\n'))", 0, "exit\n"),
        (THREADED, 0, "end"),
    ],
)
def test_a_job_ends_as_it_would(driver, tmp_path, text: str, code: int, error: str) -> None:
    done = driver.run(script(tmp_path, text))
    assert (done.returncode, done.stderr) == (code, error)


def test_an_uncaught_error_shows_its_traceback(driver, tmp_path) -> None:
    done = driver.run(script(tmp_path, "raise ValueError('what was wrong')"))
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "ValueError: what was wrong" in done.stderr


def test_what_a_job_leaves_to_its_end_is_done_and_what_libraries_left_to_the_servers_is_not(driver, tmp_path) -> None:
    text = "import tempfile; held = tempfile.TemporaryDirectory(); print(held.name, flush=True)"
    folder = Path(driver.run(script(tmp_path, text)).stdout.strip())
    assert folder.is_absolute() and not folder.exists()
    owned = tempfile.TemporaryDirectory()
    held = hold_finalizers()
    assert any(each.peek() and each.peek()[0] is owned for each in held) and not any(each.atexit for each in held)
    for finalizer in held:
        finalizer.atexit = True


def test_forks_draw_different_random_numbers(driver, tmp_path) -> None:
    file = script(tmp_path, "import random; print(random.random())")
    assert driver.run(file).stdout != driver.run(file).stdout


def test_whatever_is_no_known_job_is_run_by_bash_and_python(driver, tmp_path) -> None:
    other = script(tmp_path, LOADED, rule="other")
    assert driver.run(other).stdout == "False\n"
    more_threads = {"env": {**os.environ, **ONE_THREAD, "OMP_NUM_THREADS": "2"}}
    assert driver.run(script(tmp_path, LOADED), **more_threads).stdout == "False\n"
    piped = [driver.starter, "-c", "set -euo pipefail; false | true"]
    assert subprocess.run(piped, check=False).returncode == 1
    python = [driver.starter, "-c", f"python {other}; command -v python"]
    done = subprocess.run(python, capture_output=True, text=True, check=True).stdout
    assert done == f"False\n{driver.folder}/bin/python\n"


@pytest.mark.parametrize(
    "command",
    [
        "set -euo pipefail; {python} {script} &> log",
        "set -euo pipefail; {python} {script}; true",
        "set -euo pipefail; {python} '{script}",
        "set -euo pipefail; other {script}",
        "{python} {script}",
    ],
)
def test_only_a_plain_call_of_a_script_is_handed_over(command: str) -> None:
    words = {"python": "/bin/python", "script": "/w/tmpx.job.py"}
    assert script_of(["-c", "set -euo pipefail; {python} {script}".format(**words)], "/bin/python", {"job"})
    assert script_of(["-c", command.format(**words)], "/bin/python", {"job"}) is None


def test_only_a_known_module_is_handed_over() -> None:
    assert module_of(["-m", "rlvr.train", "--out", "x"], {"rlvr.train"}) == ["-m", "rlvr.train", "--out", "x"]
    assert module_of(["-m", "pip"], {"rlvr.train"}) is None
    assert module_of(["-c", "rlvr.train"], {"rlvr.train"}) is None


SLOW = """
    import os, subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    open("{pids}", "w").write(f"{{os.getpid()}} {{child.pid}}")
    time.sleep(600)
"""


def running(driver: Driver, folder: Path) -> tuple[subprocess.Popen, list[int]]:
    """A job that has started a process of its own, and both processes."""
    pids = folder / "pids"
    client = driver.start(script(folder, SLOW.format(pids=pids)))
    wait_until(lambda: pids.is_file() and len(pids.read_text().split()) == 2)
    return client, [int(text) for text in pids.read_text().split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_client_takes_its_job_along(driver, tmp_path, number) -> None:
    client, processes = running(driver, tmp_path)
    assert all(map(alive, processes))
    client.send_signal(number)
    client.wait()
    wait_until(lambda: not any(map(alive, processes)))
    assert driver.run(script(tmp_path, LOADED)).stdout == "True\n", "the server goes on"


def test_nothing_outlives_a_killed_driver(driver, tmp_path) -> None:
    client, processes = running(driver, tmp_path)
    driver.process.kill()
    driver.process.wait()
    assert client.wait(timeout=30) != 0
    wait_until(lambda: not any(map(alive, processes)))
    wait_until(lambda: not driver.folder.exists())


def test_a_killed_server_fails_its_job_and_later_jobs_start_as_always(driver, tmp_path) -> None:
    client, processes = running(driver, tmp_path)
    server = int(Path(f"/proc/{processes[0]}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(server, signal.SIGKILL)
    assert client.wait(timeout=30) == 1
    wait_until(lambda: not alive(processes[0]))
    os.kill(processes[1], signal.SIGKILL)
    assert b"run it again" in client.stderr.read()
    assert driver.run(script(tmp_path, LOADED)).stdout == "False\n"


def test_few_jobs_start_no_server() -> None:
    from rlvr.core.warm import keeper

    assert keeper.start({"job": []}, ["job"] * (keeper.MANY - 1) + ["other"] * 100, "/bin/bash") is None
    assert not keeper.HELD


@contextmanager
def spoilt(folder: Path, text: str) -> Iterator[Driver]:
    """A driver and a server whose interpreters run this text as they start."""
    (folder / "spoilt").mkdir()
    (folder / "spoilt" / "sitecustomize.py").write_text(textwrap.dedent(text))
    started = Driver(Path("/tmp"), folder / "spoilt")
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


NO_MORE = """
    import os
    def fork():
        raise BlockingIOError(11, "Resource temporarily unavailable")
    os.fork = fork
"""


def test_a_job_that_gets_no_process_is_run_by_its_client_and_the_server_goes_on(tmp_path) -> None:
    with spoilt(tmp_path, NO_MORE) as driver:
        for _ in range(2):
            done = driver.run(script(tmp_path, LOADED))
            assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
        assert (driver.folder / "socket").exists() and driver.process.poll() is None


STRUCK = """
    import os, signal
    forked, count = os.fork, []
    def fork():
        count.append(None)
        process = forked()
        if process == 0 and len(count) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return process
    os.fork = fork
"""


def test_a_signal_at_the_moment_of_a_fork_is_the_forks_and_ends_no_other_job(tmp_path) -> None:
    with spoilt(tmp_path, STRUCK) as driver:
        client, processes = running(driver, tmp_path)
        assert driver.run(script(tmp_path, "print('ran')")).returncode == 128 + signal.SIGTERM
        assert all(map(alive, processes)), "the other job goes on"
        assert driver.run(script(tmp_path, LOADED)).stdout == "True\n", "and so does the server"
        client.kill()
        client.wait()


def test_a_launcher_passes_arguments_on_and_takes_a_path_of_any_bytes(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a 'b' \xff $c"))
    folder.mkdir()
    (folder / "seen").touch()
    (tmp_path / "run").write_bytes(keeper.launcher("ls", str(folder)))
    (tmp_path / "run").chmod(0o700)
    found = subprocess.run([tmp_path / "run", "-a"], capture_output=True, check=True)
    assert found.stdout.split() == [b".", b"..", b"seen"]
