"""What a process frees it keeps: the next step finds its pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "workflow" / "lib"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(LIBRARY)}
PROGRAM = """
import resource, sys
import torch
from rlvr.core.allocation import keep_freed_memory

def step():
    kept = [torch.ones(2**20) for _ in range(64)]  # 256 MiB in blocks of 4

if sys.argv[1] != "as it is":
    assert keep_freed_memory(int(sys.argv[1]))
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="an allocator of the GNU C library")
def test_repeated_steps_bring_in_no_pages_again() -> None:
    pages = 4 * 2**28 // 4096
    assert faults("1000000") < pages / 10 < faults("as it is")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="an allocator of the GNU C library")
def test_large_blocks_of_a_large_model_are_given_back() -> None:
    assert faults("134000000") > 4 * 2**28 // 4096 / 2
