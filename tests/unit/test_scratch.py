"""Temporary folders of killed jobs are removed by the next one; those of living jobs are not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rlvr.core import scratch

LIBRARY = Path(__file__).resolve().parents[2] / "workflow" / "lib"
HOLDS = """
import time
from rlvr.core.scratch import scratch_folder
with scratch_folder("merged") as folder:
    (folder / "model.safetensors").write_bytes(b"0" * 1000)
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "subprocess.Popen[str]":
    """A job that has written into its folder, below the folder of the test."""
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    env = {**os.environ, "PYTHONPATH": str(LIBRARY), "TMPDIR": str(tmp_path), "SLURM_JOB_ID": "17"}
    return subprocess.Popen([sys.executable, "-c", HOLDS], env=env, text=True, stdout=subprocess.PIPE)


def test_what_a_killed_job_left_is_removed_by_the_next_and_a_living_one_is_left_alone(job) -> None:
    with job:
        assert job.stdout is not None
        left = Path(job.stdout.readline().strip())
        assert left.name.startswith("17-"), "it does not say whose it is"
        with scratch.scratch_folder("merged") as mine:
            assert (left / "model.safetensors").is_file() and mine != left
        assert not mine.exists()
        job.kill()
    assert left.exists(), "nothing was left: this test says nothing"
    with scratch.scratch_folder("other"):
        assert left.exists()
    with scratch.scratch_folder("merged"):
        assert not left.exists()


def test_without_locks_only_the_own_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*arguments: object) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch.fcntl, "flock", no_locks)
    with scratch.scratch_folder("merged") as first, scratch.scratch_folder("merged") as second:
        assert first.exists() and second.exists()
    assert not first.exists() and not second.exists()
