"""The profile on a real scheduler: where jobs run, and what is left of a run that is disturbed.

Runs where Debian's Slurm is installed and the user is root; what is not nightly takes two minutes on two quiet cores.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from slurm_cluster import Cluster, wait_for
from slurm_project import Project, make_project

RUN = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"
MANIFEST = f"results/tiny/train/{RUN}/run.json"
SCORES = f"results/tiny/evaluate/{RUN}/main/scores.parquet"
LONG = 120  # steps: half a minute on a quiet core


@pytest.fixture
def project(slurm: Cluster, tmp_path: Path) -> Project:
    """Two short runs."""
    return make_project(tmp_path / "project")


@pytest.fixture
def long_project(slurm: Cluster, tmp_path: Path) -> Project:
    """Runs that are long enough to be disturbed."""
    return make_project(tmp_path / "project", steps=LONG)


def resumed_from(root: Path) -> int | None:
    return json.loads((root / MANIFEST).read_text())["resumed_from_step"]


def started(slurm: Cluster, root: Path) -> str:
    """The id of the training job, once it has a checkpoint to go on from."""
    wait_for(lambda: bool(slurm.running("train_run")), 900, "a running training job")
    folder = root / "results/tiny/train" / RUN / "checkpoints"
    wait_for(lambda: any(folder.glob("checkpoint-*/seal.json")), 900, "a sealed checkpoint")
    return slurm.running("train_run")[-1]


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


def test_a_cancelled_training_goes_on_from_its_checkpoint(slurm: Cluster, long_project: Project) -> None:
    driver = long_project.start(MANIFEST)
    slurm.ask("scancel", started(slurm, long_project.root))
    out, _ = driver.communicate(timeout=900)
    assert driver.returncode == 0, out
    assert resumed_from(long_project.root), "it began anew"


@pytest.mark.nightly
def test_a_requeued_training_goes_on_from_its_checkpoint(slurm: Cluster, long_project: Project) -> None:
    driver = long_project.start(MANIFEST)
    slurm.ask("scontrol", "requeue", started(slurm, long_project.root))
    out, _ = driver.communicate(timeout=900)
    assert driver.returncode == 0, out
    assert resumed_from(long_project.root), "it began anew"


@pytest.mark.nightly
def test_a_training_that_another_job_displaces_goes_on_from_its_checkpoint(
    slurm: Cluster, long_project: Project
) -> None:
    """With PreemptMode=CANCEL Slurm resumes nothing: the driver has to submit it again."""
    driver = long_project.start(MANIFEST)
    started(slurm, long_project.root)
    whole = ["--partition", "urgent", "--nodes", "2", "--ntasks-per-node", "1", "--cpus-per-task", "32"]
    slurm.ask("sbatch", *whole, "--output", "/dev/null", "--wrap", "sleep 10")
    out, _ = driver.communicate(timeout=1800)
    assert driver.returncode == 0, out
    assert "PREEMPTED" in {job["JobState"] for job in slurm.ended()}
    assert resumed_from(long_project.root), "it began anew"


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
def test_a_killed_driver_repeats_no_training(slurm: Cluster, long_project: Project, number: signal.Signals) -> None:
    """Its job goes on, also where a connection drops; the next driver waits for it and takes what it made."""
    driver = long_project.start(MANIFEST)
    job = started(slurm, long_project.root)
    os.killpg(driver.pid, number)
    driver.wait()
    assert slurm.running("train_run") == [job]
    unlocked = subprocess.run(
        long_project.command("--unlock"), cwd=long_project.root, capture_output=True, text=True, check=False
    )
    assert unlocked.returncode == 0, unlocked.stdout + unlocked.stderr
    out = long_project.run(MANIFEST)
    assert f"{job} rule_train_run" in out
    assert resumed_from(long_project.root) is None
    log = (long_project.root / f"results/tiny/logs/train_run/{RUN}.log").read_text()
    assert "nothing to train" in log or job not in out.partition("Waiting for them")[2]


@pytest.mark.nightly
def test_a_run_that_needs_more_than_its_time_is_finished_by_retries(slurm: Cluster, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", steps=10 * LONG)
    project.checkout.edit_scale(resources__train__runtime_min=1)
    project.run(MANIFEST, seconds=1800)
    assert any(job["JobState"] == "TIMEOUT" for job in slurm.ended())
    assert resumed_from(project.root), "it began anew"
