"""The paper from an archive, on a fresh clone, without training."""

from pathlib import Path

import pandas as pd
from conftest import Checkout, copy_code

STUDY = "structure-over-scale"
EXPENSIVE = {"train_run", "generate_samples"}  # spectra and grades are made again behind a base that is installed anew


def tables(checkout: Checkout) -> dict[str, pd.DataFrame]:
    folder = checkout.root / "results" / "tiny" / "paper" / STUDY / "tables"
    return {path.name: pd.read_csv(path, dtype=str) for path in sorted(folder.glob("*.csv"))}


def test_an_archive_makes_the_paper_on_a_fresh_clone(finished: Checkout, copied: Checkout, tmp_path: Path) -> None:
    copied.run("archive")
    archive = copied.root / "results" / "tiny" / "archive" / f"{STUDY}.tar"
    clone = copy_code(tmp_path / "clone")
    for name in ("workflow/scales/tiny.yaml", f"workflow/studies/{STUDY}/grid.csv"):
        (clone.root / name).write_bytes((finished.root / name).read_bytes())
    fetch = ["--config", f"artefacts={{base: shipped, train: fetch, archive: {archive}}}"]
    plan = clone.plan("paper", *fetch)
    assert not EXPENSIVE & set(plan) and plan["compile_paper"] == 1
    clone.run("paper", *fetch)
    pdf = clone.root / "results" / "tiny" / "paper" / STUDY / "paper.pdf"
    assert pdf.read_bytes().startswith(b"%PDF")
    made, again = tables(finished), tables(clone)
    assert made.keys() == again.keys() and len(made) > 20
    assert [name for name in made if not made[name].equals(again[name])] == []
