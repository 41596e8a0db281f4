"""Fixtures that every folder of tests shares."""

import os
from pathlib import Path

import pytest
from checkouts import CODE, GRID, ROOT, STUDY, TINY, Checkout, Unedited, copy_code, forget_compiled
from dry_runs import end

__all__ = ["CODE", "GRID", "ROOT", "STUDY", "TINY", "Checkout", "Unedited", "copy_code"]

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("CI", "true")

LONG_FIRST = ("slurm", "smoke", "workflow", "browser")  # folders whose files take minutes
MAKES_FINISHED = "test_workflow.py"  # takes longest, and runs the small grid that other files of smoke/ look at


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first: two workers that take whole files in turns then end together.

    Of smoke/, the file that runs the small grid comes before all others and those that look at it come last: while one
    worker runs it, the other has something else to do.
    """

    def turn(item: pytest.Item) -> tuple[int, int]:
        folder = item.path.parent.name
        if folder == "smoke" and item.path.name == MAKES_FINISHED:
            return -1, 0
        waits = "finished" in getattr(item, "fixturenames", ())
        return LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST), int(waits)

    items.sort(key=turn)


def pytest_sessionfinish() -> None:
    """What tests of this process shared is put away."""
    end()
    forget_compiled()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real rows, named by the environment variable REAL_DATA_DIR."""
    folder = os.environ.get("REAL_DATA_DIR", "")
    if not folder:
        pytest.skip("REAL_DATA_DIR is not set: no real rows to test on")
    if not Path(folder).is_dir():
        pytest.skip(f"REAL_DATA_DIR={folder} is not a folder: no real rows to test on")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def unedited(tmp_path_factory: pytest.TempPathFactory) -> Unedited:
    """A fresh copy of the workflow for questions about it as it is."""
    return Unedited(copy_code(tmp_path_factory.mktemp("unedited") / "checkout").root)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh copy of the workflow without results."""
    return copy_code(tmp_path / "checkout")
