"""The profile on a real scheduler: where jobs run, and what is left of a run that is disturbed.

A disturbed run must end with the weights of an undisturbed one, bit for bit, and nothing that was finished is done
again. Runs where Debian's Slurm is installed and the user is root; what is not nightly takes two minutes on two quiet
cores, all of it half an hour.
"""

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from slurm_cluster import Cluster, wait_for
from slurm_project import RUNS, Project, make_project

RUN = RUNS[0]
MANIFEST = f"results/tiny/train/{RUN}/run.json"
MANIFESTS = [f"results/tiny/train/{run_id}/run.json" for run_id in RUNS]
SCORES = f"results/tiny/evaluate/{RUN}/main/scores.parquet"
LONG = int(os.environ.get("SLURM_TEST_STEPS", "120"))  # of 120 steps a training takes half a minute on a quiet core
STOPPED = re.compile(r"stopped by SIGTERM behind step (\d+)")  # in the log of a failed attempt, which a driver shows
Weights = dict[str, str]  # digests by file


@pytest.fixture
def project(slurm: Cluster, tmp_path: Path) -> Project:
    """Short runs."""
    return make_project(tmp_path / "project")


@pytest.fixture
def long_project(slurm: Cluster, tmp_path: Path) -> Project:
    """Runs that are long enough to be disturbed."""
    return make_project(tmp_path / "project", steps=LONG)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Weights]:
    """Weights of a long run that was trained on this machine without a scheduler."""
    project = make_project(tmp_path_factory.mktemp("undisturbed") / "project", steps=LONG)

    def weights(run_id: str) -> Weights:
        project.checkout.run(f"results/tiny/train/{run_id}/run.json")
        return project.weights(run_id)

    return weights


def resumed_from(root: Path) -> int | None:
    return json.loads((root / MANIFEST).read_text())["resumed_from_step"]


def started(slurm: Cluster, root: Path, run_id: str = RUN) -> str:
    """The id of the last training job, once a run has a checkpoint to go on from."""
    wait_for(lambda: bool(slurm.running("train_run")), 900, "a running training job")
    folder = root / "results/tiny/train" / run_id / "checkpoints"
    wait_for(lambda: any(folder.glob("checkpoint-*/seal.json")), 900, "a sealed checkpoint")
    return slurm.running("train_run")[-1]


def check_nothing_is_left(project: Project, *targets: str) -> None:
    """The command, given once more, starts nothing."""
    assert "Nothing to be done" in project.run("-n", *targets)


def test_from_raw_data_to_scores(slurm: Cluster, project: Project) -> None:
    before = len(slurm.ended())
    out = project.run(SCORES)
    local = {line.split()[1].rstrip(":") for line in out.splitlines() if line.startswith("localrule ")}
    assert {"fetch_source", "check_environment", "check_training_environment", "write_spec"} <= local
    jobs = slurm.ended()[before:]
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert all(job["NodeCnt"] == "1" for job in jobs)
    environment = json.loads((project.root / "results/tiny/environments/train.json").read_text())
    assert "trl" in environment["imported"]
    assert (project.root / SCORES).is_file()


def test_a_cancelled_training_goes_on_from_its_checkpoint(
    slurm: Cluster, long_project: Project, undisturbed: Callable[[str], Weights]
) -> None:
    driver = long_project.start(MANIFEST)
    slurm.ask("scancel", started(slurm, long_project.root))
    out, _ = driver.communicate(timeout=900)
    assert driver.returncode == 0, out
    assert resumed_from(long_project.root), "it began anew"
    assert long_project.weights(RUN) == undisturbed(RUN)
    check_nothing_is_left(long_project, MANIFEST)


@pytest.mark.nightly
def test_a_training_that_is_asked_to_stop_saves_before_it_ends(
    slurm: Cluster, long_project: Project, undisturbed: Callable[[str], Weights]
) -> None:
    """SIGTERM reaches every process of the job's step."""
    driver = long_project.start(MANIFEST)
    slurm.ask("scancel", "--signal=TERM", started(slurm, long_project.root))
    out, _ = driver.communicate(timeout=1800)
    assert driver.returncode == 0, out
    stopped = STOPPED.search(out)
    assert stopped, out
    assert resumed_from(long_project.root) == int(stopped[1])
    assert long_project.weights(RUN) == undisturbed(RUN)


@pytest.mark.nightly
def test_a_job_whose_shell_is_ended_goes_on_from_its_checkpoint(
    slurm: Cluster, long_project: Project, undisturbed: Callable[[str], Weights]
) -> None:
    """`--full` signals the shell that holds the job, at whose end Slurm kills the step without another word."""
    driver = long_project.start(MANIFEST)
    slurm.ask("scancel", "--signal=TERM", "--full", started(slurm, long_project.root))
    out, _ = driver.communicate(timeout=1800)
    assert driver.returncode == 0, out
    assert resumed_from(long_project.root), "it began anew"
    assert long_project.weights(RUN) == undisturbed(RUN)


@pytest.mark.nightly
def test_a_requeued_training_goes_on_from_its_checkpoint(
    slurm: Cluster, long_project: Project, undisturbed: Callable[[str], Weights]
) -> None:
    driver = long_project.start(MANIFEST)
    slurm.ask("scontrol", "requeue", started(slurm, long_project.root))
    out, _ = driver.communicate(timeout=900)
    assert driver.returncode == 0, out
    assert resumed_from(long_project.root), "it began anew"
    assert long_project.weights(RUN) == undisturbed(RUN)
    check_nothing_is_left(long_project, MANIFEST)


@pytest.mark.nightly
def test_a_training_whose_node_fails_goes_on_elsewhere(
    slurm: Cluster, long_project: Project, undisturbed: Callable[[str], Weights]
) -> None:
    """Slurm says NODE_FAIL and starts the job again on the other node, under its id."""
    driver = long_project.start(MANIFEST)
    job = started(slurm, long_project.root)
    node = slurm.ask("squeue", "-h", "-j", job, "-o", "%N").strip()
    slurm.fail(node, job)
    try:
        out, _ = driver.communicate(timeout=1800)
    finally:
        slurm.restart(node)
    assert driver.returncode == 0, out
    ends = [(each["JobState"], each["NodeList"]) for each in slurm.ended() if each["JobId"] == job]
    assert ("NODE_FAIL", node) in ends, ends
    assert resumed_from(long_project.root), "it began anew"
    assert long_project.weights(RUN) == undisturbed(RUN)
    check_nothing_is_left(long_project, MANIFEST)


@pytest.mark.nightly
def test_a_daemon_of_a_node_that_is_started_anew_disturbs_no_training(slurm: Cluster, long_project: Project) -> None:
    driver = long_project.start(MANIFEST)
    job = started(slurm, long_project.root)
    slurm.restart(slurm.ask("squeue", "-h", "-j", job, "-o", "%N").strip())
    out, _ = driver.communicate(timeout=1800)
    assert driver.returncode == 0, out
    assert resumed_from(long_project.root) is None
    assert [each["JobState"] for each in slurm.ended() if each["JobId"] == job] == ["COMPLETED"]


@pytest.mark.nightly
def test_a_training_that_another_job_displaces_goes_on_from_its_checkpoint(
    slurm: Cluster, long_project: Project, undisturbed: Callable[[str], Weights]
) -> None:
    """With PreemptMode=CANCEL Slurm resumes nothing: the driver has to submit it again, behind a minute of grace."""
    driver = long_project.start(MANIFEST)
    started(slurm, long_project.root)
    whole = ["--partition", "urgent", "--nodes", "2", "--ntasks-per-node", "1", "--cpus-per-task", "32"]
    slurm.ask("sbatch", *whole, "--output", "/dev/null", "--wrap", "sleep 10")
    out, _ = driver.communicate(timeout=1800)
    assert driver.returncode == 0, out
    assert {"PREEMPTED", "FAILED"} & {job["JobState"] for job in slurm.ended()}
    assert STOPPED.search(out), out
    assert resumed_from(long_project.root), "it began anew"
    assert long_project.weights(RUN) == undisturbed(RUN)


@pytest.mark.nightly
def test_a_controller_that_is_away_while_a_training_ends_costs_nothing(slurm: Cluster, long_project: Project) -> None:
    driver = long_project.start(MANIFEST)
    started(slurm, long_project.root)
    slurm.stop_controller()
    wait_for(long_project.manifest(RUN).is_file, 900, "the end of the training")
    time.sleep(10)
    slurm.start_controller()
    out, _ = driver.communicate(timeout=900)
    assert driver.returncode == 0, out
    assert "Falling back to 'sacct'" not in out
    assert resumed_from(long_project.root) is None


@pytest.mark.nightly
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_a_killed_driver_repeats_no_training(
    slurm: Cluster, long_project: Project, undisturbed: Callable[[str], Weights], number: signal.Signals
) -> None:
    """Its three jobs go on, also where a connection drops; the next driver waits for them and takes what they made."""
    driver = long_project.start(*MANIFESTS)
    wait_for(lambda: len(slurm.running("train_run")) == len(RUNS), 900, "three running training jobs")
    for run_id in RUNS:
        started(slurm, long_project.root, run_id)
    jobs = slurm.running("train_run")
    os.killpg(driver.pid, number)
    driver.wait()
    assert slurm.running("train_run") == jobs and len(jobs) == len(RUNS)
    long_project.unlock()
    out = long_project.run(*MANIFESTS)
    assert any(f"{job} rule_train_run" in out for job in jobs), "nothing was waited for"
    for run_id in RUNS:  # one that ended before the second driver made its plan is not submitted at all
        assert "nothing to train" in long_project.log(run_id) or f"run_id={run_id}" not in out, out
        assert json.loads(long_project.manifest(run_id).read_text())["resumed_from_step"] is None
        assert long_project.weights(run_id) == undisturbed(run_id)
    check_nothing_is_left(long_project, *MANIFESTS)


@pytest.mark.nightly
def test_of_two_drivers_one_is_refused_and_the_other_disturbed_by_nothing(
    slurm: Cluster, long_project: Project, undisturbed: Callable[[str], Weights]
) -> None:
    """A second one that insists (`--nolock`) waits for the jobs of the first and repeats none."""
    driver = long_project.start(MANIFEST)
    job = started(slurm, long_project.root)
    refused = long_project.start(MANIFEST)
    out, _ = refused.communicate(timeout=300)
    assert refused.returncode != 0 and "lock" in out.lower(), out
    assert slurm.running("train_run") == [job]
    insisting = long_project.start(MANIFEST, "--nolock")
    for each in (driver, insisting):
        out, _ = each.communicate(timeout=900)
        assert each.returncode == 0, out
    assert f"{job} rule_train_run" in out
    assert "nothing to train" in long_project.log(RUN)
    assert resumed_from(long_project.root) is None
    assert long_project.weights(RUN) == undisturbed(RUN)


@pytest.mark.nightly
def test_a_run_that_needs_more_than_its_time_is_finished_by_retries(slurm: Cluster, tmp_path: Path) -> None:
    steps = 12 * LONG  # two minutes and more: what ends within the grace behind the limit is done
    project = make_project(tmp_path / "project", steps)
    project.checkout.edit_scale(resources__train__runtime_min=1)
    out = project.run(MANIFEST, seconds=1800)
    assert any(job["JobState"] == "TIMEOUT" for job in slurm.ended())
    assert STOPPED.search(out), out
    assert resumed_from(project.root), "it began anew"
    straight = make_project(tmp_path / "straight", steps)
    straight.checkout.run(MANIFEST)
    assert project.weights(RUN) == straight.weights(RUN)
