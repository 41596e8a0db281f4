"""SIGTERM asks a run to stop; a second one ends a process that was started alone, not one of several."""

import os
import signal
import subprocess
import sys
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


@pytest.mark.parametrize(("launcher", "printed"), [({}, False), ({"TORCHELASTIC_RUN_ID": "none"}, True)])
def test_a_second_signal_ends_a_process_unless_a_launcher_repeats_those_of_the_scheduler(launcher, printed) -> None:
    paths = os.pathsep.join([str(LIBRARY), str(Path(__file__).parent)])
    env = {name: value for name, value in os.environ.items() if name != "TORCHELASTIC_RUN_ID"}
    env |= {"PYTHONPATH": paths, **launcher}
    done = subprocess.run([sys.executable, "-c", ASKED_TWICE], capture_output=True, text=True, env=env, check=False)
    assert ("goes on True" in done.stdout) == printed, done.stderr
    assert done.returncode == -signal.SIGTERM, "behind the run, SIGTERM has its usual meaning again"


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
