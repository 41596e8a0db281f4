"""The paper from an archive, on a fresh clone, without training."""

from pathlib import Path

import pandas as pd
import pytest
from conftest import Checkout, copy_code

STUDY = "structure-over-scale"
EXPENSIVE = {"install_model", "train_run", "generate_samples", "grade_samples", "measure_run"}


def tables(checkout: Checkout) -> dict[str, pd.DataFrame]:
    folder = checkout.root / "results" / "tiny" / "paper" / STUDY / "tables"
    return {path.name: pd.read_csv(path, dtype=str) for path in sorted(folder.glob("*.csv"))}


@pytest.fixture
def clone(copied: Checkout, tmp_path: Path) -> tuple[Checkout, list[str]]:
    """A fresh clone beside an archive of the finished grid, and the words with which it is taken."""
    copied.run("archive")
    archive = copied.root / "results" / "tiny" / "archive" / f"{STUDY}.tar"
    clone = copy_code(tmp_path / "clone")
    for name in ("workflow/scales/tiny.yaml", f"workflow/studies/{STUDY}/grid.csv"):
        (clone.root / name).write_bytes((copied.root / name).read_bytes())
    for path in [*(clone.root / "data").rglob("*"), *(clone.root / "workflow" / "studies").rglob("*")]:
        path.touch()  # of a clone, files are as old as itself
    return clone, ["--config", f"artefacts={{base: shipped, train: fetch, archive: {archive}}}"]


def test_a_fresh_clone_with_an_archive_makes_nothing_expensive(clone: tuple[Checkout, list[str]]) -> None:
    checkout, fetch = clone
    plan = checkout.plan("paper", *fetch)
    assert not EXPENSIVE & set(plan) and plan["compile_paper"] == 1
    runs = checkout.root / "results" / "tiny" / "train"
    assert sorted(runs.glob("*/run.json")), "the plan has brought what the archive holds"


@pytest.mark.nightly  # the whole paper once more; the test above makes its plan
def test_an_archive_makes_the_paper_on_a_fresh_clone(finished: Checkout, clone: tuple[Checkout, list[str]]) -> None:
    checkout, fetch = clone
    checkout.run("paper", *fetch)
    pdf = checkout.root / "results" / "tiny" / "paper" / STUDY / "paper.pdf"
    assert pdf.read_bytes().startswith(b"%PDF")
    made, again = tables(finished), tables(checkout)
    assert made.keys() == again.keys() and len(made) > 20
    assert [name for name in made if not made[name].equals(again[name])] == []
