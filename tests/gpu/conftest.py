"""The device that these tests run on: a CUDA GPU, or another one that RLVR_TEST_DEVICE names.

They import what a machine with torch, transformers and peft has, and nothing else of the workflow's packages, so that
`PYTHONPATH=workflow/lib python -m pytest tests/gpu` runs where nothing may be installed. `RLVR_TEST_DEVICE=cpu` runs
the same bodies on the CPU.
"""

import os

import pytest
import torch


@pytest.fixture(scope="session")
def device() -> torch.device:
    """The device on which a test computes what it then compares with the CPU in float32."""
    chosen = torch.device(os.environ.get("RLVR_TEST_DEVICE", "cuda"))
    if chosen.type == "cuda" and not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device; RLVR_TEST_DEVICE=cpu runs these tests on the CPU")
    return chosen
