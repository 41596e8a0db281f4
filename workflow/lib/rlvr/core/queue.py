"""Jobs in a scheduler's queue: those that a killed driver left behind, and those that will never come back."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rlvr.core.joblog import announce

ASK_EVERY_S = 30.0
SHOWN = 5
FORGOTTEN_AFTER_S = 300  # SOURCE: slurm.conf, MinJobAge, its default


def running_jobs(folder: Path) -> list[str] | None:
    """Ids and comments of the jobs that rules have in Slurm's queue with this working directory.

    Returns:
        ``12 rule_train_run_...`` each, without the job that this process is part of; empty where there is no Slurm,
        ``None`` where it does not answer.
    """
    if shutil.which("squeue") is None:
        return []
    command = ["squeue", "--me", "--noheader", "--format", "%i|%Z|%k"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode != 0:
        return None
    rows = [line.strip().split("|", 2) for line in done.stdout.splitlines() if line.count("|") >= 2]
    own = os.environ.get("SLURM_JOB_ID")
    here = folder.resolve()
    return [
        f"{job} {comment}"
        for job, where, comment in rows
        if comment.startswith("rule_") and job != own and Path(where).resolve() == here
    ]


def await_running_jobs(folder: Path, sleep: Callable[[float], None] = time.sleep) -> int:
    """Wait until no job of a killed driver is left, so that none is submitted beside the one that is running.

    A scheduler that has named jobs and then does not answer is asked again; one that never answered is not waited for.

    Args:
        folder: Working directory of the project.
        sleep: Waits between two questions.

    Returns:
        How often the queue was asked again.
    """
    asked = 0
    while (found := running_jobs(folder)) or (found is None and asked):
        if found and asked == 0:
            listed = "; ".join(found[:SHOWN]) + (" ..." if len(found) > SHOWN else "")
            announce(f"{len(found)} jobs of this folder are in the queue already: {listed}")
            announce("Waiting for them; what they finish is not done again. To do without them: scancel <id>.")
        asked += 1
        sleep(ASK_EVERY_S)
    return asked


class Watch:
    """What Slurm says of jobs, such that nobody waits for one that will never come back.

    Snakemake's executor for Slurm waits for whatever is neither done nor failed. Two kinds of jobs stay so for ever:
    one that was preempted where partitions cancel what they preempt (it waits for Slurm to resume it), and one that
    ended and was forgotten while the controller was away (it waits for it to appear).
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._age = FORGOTTEN_AFTER_S

    def settled(self, states: Mapping[str, str]) -> dict[str, str]:
        """States by job id of everything that the queue knows now, and of what it knew before.

        A preempted job is a cancelled one: a requeued one is pending again, and never seen as preempted. A forgotten
        one counts as completed: whether it was shows in its outputs, for which Snakemake looks.

        Args:
            states: Of one successful question, ended jobs included.
        """
        forgotten = dict.fromkeys(self._known - states.keys(), "COMPLETED")
        self._known |= states.keys()
        preempted = {job: "CANCELLED" for job, state in states.items() if state == "PREEMPTED"}
        return {**states, **forgotten, **preempted}

    def age(self, asked: int | None) -> int:
        """Seconds for which the queue remembers a job: the answer, or the last one where the controller gave none."""
        self._age = self._age if asked is None else asked
        return self._age
