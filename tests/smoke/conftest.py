"""A small grid, run for real once a session; tests then edit copies of it."""

import os
import shutil
from pathlib import Path

import pytest
from conftest import Checkout, copy_code
from filelock import FileLock

KEPT = (
    "qwen3-8b_deepmath-hard_lora-r8_bs64_s42",
    "qwen3-8b_deepmath-hard_lora-r256_bs64_s42",
    "qwen3-8b_deepmath-hard_quanta-d3-no-kv_bs64_s42",
    "llama-3.1-8b_math_quanta-d3-no-kv-constant_bs64_s42",
)


def shrink(checkout: Checkout) -> None:
    """Four runs of two optimizer steps, eight problems to evaluate on."""
    rows = checkout.read_grid()
    checkout.write_grid([{**row, "tier": "core" if row["run_id"] in KEPT else "full"} for row in rows])
    checkout.edit_scale(
        **{f"datasets__{name}__eval_problems": 8 for name in ("deepmath-hard", "math")},
        **{f"datasets__{name}__max_train_problems": 16 for name in ("deepmath-hard", "math")},
        **{"datasets__aime-2025-2026__synthetic_rows": 4},
        sampling__default__samples_per_problem=2,
    )


def run_small(root: Path, *targets: str) -> Checkout:
    """The small grid in a new folder, from raw data to the targets, without any to the PDF."""
    checkout = copy_code(root)
    shrink(checkout)
    checkout.run(*targets)
    return checkout


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The small grid from raw data to the PDF; about a minute and a half, once for all workers of pytest-xdist."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    root = shared / "finished" / "checkout"
    with FileLock(shared / "finished.lock"):
        if not (shared / "finished" / "done").exists():
            shutil.rmtree(root, ignore_errors=True)  # of a worker that failed
            run_small(root)
            (shared / "finished" / "done").touch()
    return Checkout(root)


@pytest.fixture
def another(tmp_path: Path) -> Checkout:
    """The small grid once more, from scratch, in a folder with another name: runs, samples, spectra, a table."""
    return run_small(tmp_path / "some where" / "else", "train", "evaluate", "spectra", "table4")


@pytest.fixture
def copied(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished workflow, time stamps kept, in which a test may edit."""
    shutil.copytree(finished.root, tmp_path / "checkout", copy_function=shutil.copy2)
    return Checkout(tmp_path / "checkout")
