"""Jobs that a scheduler holds for one: run by one call of Snakemake on the node; its executor starts one for each.

A job of Slurm that holds a group is a call of Snakemake which gives every job of the group to ``srun`` and a further
call of Snakemake: two seconds of a processor for a grade of one. Here the group's call hands all of them to one call,
within ``srun`` as before, which runs as many at once as Slurm gave it processors.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from rlvr.core.command_line import target_rules

EXECUTOR = "slurm-jobstep"
OF_THE_EXECUTOR = {"--executor": 1, "--jobs": 1, "--cores": 1}  # options of the group's call, with their values
OF_THE_ALLOCATION = ("SLURM_JOB_ID", "SLURM_JOBID", "SLURM_CLUSTER_NAME", "SLURM_SUBMIT_DIR", "SLURM_SUBMIT_HOST")
FOR_STEPS = ("SLURM_", "SRUN_", "SBATCH_")
PROCESSORS, CARDS = "SLURM_CPUS_PER_TASK", "SLURM_GPUS"


def group_call(arguments: Sequence[str], environment: Mapping[str, str]) -> list[str] | None:
    """The command that runs all jobs of a group.

    Args:
        arguments: Of the group's call of snakemake, without its own name.
        environment: Of that call.

    Returns:
        ``srun ... snakemake ...``; ``None`` for a single job, for anything that is no job of Slurm, and for a group
        with GPUs, whose cards the executor assigns to steps.
    """
    processors = environment.get(PROCESSORS, "")
    if EXECUTOR not in arguments or len(target_rules(arguments)) < 2 or not processors or environment.get(CARDS):
        return None
    step = ["srun", "-n1", "--cpu-bind=q", f"--cpus-per-task={processors}", "--nodes=1"]
    kept = without_options(arguments, OF_THE_EXECUTOR)
    return [*step, sys.executable, "-m", "snakemake", *kept, "--cores", processors, "--keep-going"]


def without_options(arguments: Sequence[str], options: Mapping[str, int]) -> list[str]:
    """Arguments without some options.

    Args:
        arguments: Of a program.
        options: The number of values behind each option that is left out.
    """
    kept, skipped = [], 0
    for argument in arguments:
        if argument in options:
            skipped = options[argument]
        elif skipped:
            skipped -= 1
        else:
            kept.append(argument)
    return kept


def environment_of_step(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables without what Slurm set for the whole allocation: ``srun`` would take it as wishes for the step."""
    return {
        name: value
        for name, value in environment.items()
        if name in OF_THE_ALLOCATION or not name.startswith(FOR_STEPS)
    }


def run_group(arguments: Sequence[str]) -> None:
    """Where this process is the call of a group, run the group and end with its exit status; otherwise do nothing.

    Slurm's SIGTERM is for the jobs, which finish their steps; this process waits for them.
    """
    command = group_call(arguments, os.environ)
    if command is None:
        return
    signal.signal(signal.SIGTERM, lambda *_: None)
    sys.exit(subprocess.run(command, env=environment_of_step(os.environ), check=False).returncode)
