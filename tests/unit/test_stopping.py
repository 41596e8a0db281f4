"""SIGTERM asks a run to stop; a second one ends a process that was started alone, not one of several."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rlvr.core.environment import prepare_environment

LIBRARY = Path(__file__).resolve().parents[2] / "workflow" / "lib"
ASKED_TWICE = """
import os, signal
from small_models import settings_of
from rlvr.train.stopping import StopWhenAsked
stop = StopWhenAsked(settings_of("lora"))
with stop.listening():
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
    print("goes on", stop.asked, flush=True)
os.kill(os.getpid(), signal.SIGTERM)
"""
ELASTIC = """
import os
from torch.distributed.launcher.api import LaunchConfig
print(LaunchConfig(min_nodes=1, max_nodes=1, nproc_per_node=1).shutdown_timeout)
"""


@pytest.mark.parametrize(
    ("launcher", "printed"), [({}, False), ({"TORCHELASTIC_RUN_ID": "none"}, True), ({"SLURM_JOB_ID": "1"}, True)]
)
def test_a_second_signal_ends_a_process_unless_a_launcher_or_slurm_repeats_the_first(launcher, printed) -> None:
    env = environment(**launcher)
    done = subprocess.run([sys.executable, "-c", ASKED_TWICE], capture_output=True, text=True, env=env, check=False)
    assert ("goes on True" in done.stdout) == printed, done.stderr
    assert done.returncode == -signal.SIGTERM, "behind the run, SIGTERM has its usual meaning again"


def environment(**changes: str) -> dict[str, str]:
    """Variables of a process that may import this library and the small models; no launcher and no scheduler."""
    env = {name: value for name, value in os.environ.items() if name not in ("TORCHELASTIC_RUN_ID", "SLURM_JOB_ID")}
    paths = os.pathsep.join([str(LIBRARY), str(Path(__file__).parent)])
    return env | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **changes}


@pytest.mark.parametrize(("job", "printed"), [({}, "set()"), ({"SLURM_JOB_ID": "1"}, "{15}")])
def test_a_launcher_in_a_job_of_slurm_starts_with_sigterm_blocked(job, printed) -> None:
    asks = "import signal; print({int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, ())})"
    command = [sys.executable, "-m", "rlvr.core.launching", sys.executable, "-c", asks]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(**job), check=True)
    assert done.stdout.strip() == printed


TWO_RANKS = """
import os, sys, time
from small_models import settings_of
from rlvr.train.stopping import StopWhenAsked, STOPPED_STATUS
stop = StopWhenAsked(settings_of("lora"))
with stop.listening():
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    while not stop.asked:
        time.sleep(0.01)
    time.sleep(3)  # the rest of a step
    sys.stdout.write("saved\\n")
    sys.stdout.flush()
sys.exit(STOPPED_STATUS)
"""


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A variable by which every process of a test is found and ended behind it, whatever session it leads."""
    found = f"STARTED_BY_TEST={tmp_path}"
    yield dict([found.split("=", 1)])
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended, or is another user's
            if found.encode() in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)


@pytest.mark.nightly
def test_two_processes_of_a_run_save_before_their_launcher_ends(tmp_path: Path, mark: dict[str, str]) -> None:
    """What Slurm does at a time limit: SIGTERM to every process of the step, and once more within a moment."""
    (tmp_path / "rank.py").write_text(TWO_RANKS)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]  # what accelerate starts
    command = [sys.executable, "-m", "rlvr.core.launching", *torchrun, str(tmp_path / "rank.py")]
    with (tmp_path / "out").open("w") as out:
        env = environment(SLURM_JOB_ID="1", **mark)
        job = subprocess.Popen(command, start_new_session=True, env=env, stdout=out, stderr=subprocess.STDOUT)
    while (tmp_path / "out").read_text().count("ready") < 2:
        assert job.poll() is None, (tmp_path / "out").read_text()
        time.sleep(0.05)
    ranks = map(int, Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split())
    for each in 2 * [job.pid, *ranks]:  # the ranks lead sessions of their own
        os.kill(each, signal.SIGTERM)
    assert job.wait(timeout=300) > 0, "the launcher ended by the signal"
    assert (tmp_path / "out").read_text().count("saved") == 2


def test_torchrun_waits_for_a_generation_before_it_kills() -> None:
    env = {name: value for name, value in os.environ.items() if name != "TORCH_ELASTIC_SHUTDOWN_TIMEOUT"}
    assert elastic(env) == 30, "torchrun's own default has changed: read the documentation again"
    prepare_environment(env)
    assert elastic(env) == 600
    prepare_environment(env := {"TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "7", "PATH": os.environ["PATH"]})
    assert env["TORCH_ELASTIC_SHUTDOWN_TIMEOUT"] == "7", "what a user has set stays"


def elastic(env: dict[str, str]) -> int:
    """Seconds between SIGTERM and SIGKILL, as torchrun understands its environment."""
    done = subprocess.run([sys.executable, "-c", ELASTIC], capture_output=True, text=True, env=env, check=True)
    return int(done.stdout)
