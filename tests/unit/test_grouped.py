"""A group of jobs in one job of Slurm: which call of Snakemake runs it."""

import sys

from rlvr.core.grouped import environment_of_step, group_call

JOB = ["--snakefile", "Snakefile", "--target-jobs", "score_run:run_id=a,suite=main"]
GROUP = [*JOB, "grade_samples:run_id=a,suite=main"]
REST = ["--allowed-rules", "grade_samples", "score_run", "--cores", "7", "--attempt", "2", "--force"]
OF_SLURM = ["--executor", "slurm-jobstep", "--jobs", "1", "--mode", "remote"]
ALLOCATION = {"SLURM_CPUS_PER_TASK": "3", "SLURM_JOB_ID": "12"}


def test_a_group_is_run_by_one_call_on_the_processors_that_it_has() -> None:
    command = group_call([*GROUP, *REST, *OF_SLURM], ALLOCATION)
    assert command is not None
    step, call = command[: command.index(sys.executable)], command[command.index(sys.executable) :]
    assert step == ["srun", "-n1", "--cpu-bind=q", "--cpus-per-task=3", "--nodes=1"]
    rest = ["--allowed-rules", "grade_samples", "score_run", "--attempt", "2", "--force", "--mode", "remote"]
    assert call == [sys.executable, "-m", "snakemake", *GROUP, *rest, "--cores", "3", "--keep-going"]


def test_what_is_no_group_of_slurm_is_left_to_the_executor() -> None:
    assert group_call([*JOB, *REST, *OF_SLURM], ALLOCATION) is None, "a single job"
    assert group_call([*GROUP, *REST, "--mode", "remote"], ALLOCATION) is None, "the call that runs the jobs"
    assert group_call([*GROUP, *REST, *OF_SLURM], {}) is None, "no job of Slurm"
    assert group_call([*GROUP, *REST, *OF_SLURM], {**ALLOCATION, "SLURM_GPUS": "1"}) is None, "cards"
    assert group_call(["all"], {}) is None


def test_a_step_knows_its_allocation_and_none_of_its_sizes() -> None:
    given = {**ALLOCATION, "SLURM_NTASKS": "1", "SBATCH_PARTITION": "cpu", "SRUN_CPUS_PER_TASK": "3", "HOME": "/root"}
    assert environment_of_step(given) == {"SLURM_JOB_ID": "12", "HOME": "/root"}
