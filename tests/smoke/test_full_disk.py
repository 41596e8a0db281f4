"""A training on a disk that fills up: it says so, and with space the same command ends in the same bits."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from mounting import may_mount
from small_models import settings_of
from small_runs import weights_of, write_inputs

from rlvr.core.io import read_json, read_table, write_json
from rlvr.core.provenance import LIBRARY
from rlvr.tables import METRICS

SIZES_KIB = (40, 80, 120, 160)
REMEDY = "Make space there, or let the folder be a link to another disk; then type the same command again."
pytestmark = pytest.mark.nightly


def command(inputs: Path, spec: Path, out: Path) -> list[str]:
    """The trainer's real command, with a checkpoint after every step."""
    words = [sys.executable, "-m", "rlvr.train", "--spec", spec, "--base", inputs / "base"]
    words += ["--train", inputs / "train.parquet", "--out", out, "--checkpoint-every-steps", "1"]
    return [str(word) for word in words]


def called(words: list[str]) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PYTHONPATH": str(LIBRARY), "OMP_NUM_THREADS": "1"}
    return subprocess.run(words, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


@pytest.mark.skipif(not may_mount(), reason="no right to mount a disk that fills up")
@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_training_whose_disk_fills_up_goes_on_once_there_is_space(method: str, tmp_path: Path) -> None:
    inputs, spec = write_inputs(tmp_path / "inputs"), tmp_path / "spec.json"
    write_json(settings_of(method).to_json() | {"run_id": method, "max_completion_tokens": 12}, spec)
    assert called(command(inputs, spec, tmp_path / "whole")).returncode == 0
    expected = read_json(tmp_path / "whole/run.json")
    rows = read_table(tmp_path / "whole/metrics.parquet", METRICS).drop(columns="seconds")
    stopped = 0
    for size in SIZES_KIB:
        disk, kept = tmp_path / f"disk-{size}", tmp_path / f"kept-{size}"
        disk.mkdir()
        train = shlex.join(command(inputs, spec, disk / "run"))
        script = (
            f"mount -t tmpfs -o size={size}k none {disk}; {train} > {tmp_path}/first 2>&1; echo $? > {tmp_path}/status;"
            f" ls -R {disk} > {tmp_path}/listing; mount -o remount,size=64m {disk}; {train} && cp -r {disk}/run {kept}"
        )
        again = called(["unshare", "--mount", "bash", "-c", script])
        first, status = (tmp_path / "first").read_text(), int((tmp_path / "status").read_text())
        print(f"{method}, {size} KiB: status {status}, {first.strip().splitlines()[-1]}")
        if status:
            stopped += 1
            said = [line for line in first.splitlines() if line.startswith("error: ")]
            assert status == 1 and len(said) == 1 and str(disk) in said[0] and said[0].endswith(REMEDY), first
            assert "Traceback" not in first and "run.json" not in (tmp_path / "listing").read_text()
        assert again.returncode == 0, again.stdout
        manifest = read_json(kept / "run.json")
        assert manifest["sha256"] == expected["sha256"] and manifest["files"] == expected["files"]
        assert weights_of(kept) == weights_of(tmp_path / "whole")
        assert read_table(kept / "metrics.parquet", METRICS).drop(columns="seconds").equals(rows)
        assert not list(kept.rglob("*.tmp")) and not (kept / "checkpoints").exists()
    assert stopped >= 3  # of a disk of every size but the largest
