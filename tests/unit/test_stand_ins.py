"""The benchmark's stand-ins pass the readers of the released files and hold exactly the published share."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rlvr.data.curation import curate, read_source
from rlvr.data.curation_recipe import CurationRecipe
from rlvr.data.fetching import Origin, fetch_source
from rlvr.data.readers import get_reader
from rlvr.plan.sources import load_registry

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = load_registry(ROOT / "data/sources.csv")


@pytest.fixture
def curated(tmp_path, monkeypatch):
    """Write a small stand-in, fetch it as a mirror of the release, curate it."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.delitem(sys.modules, "stand_ins", raising=False)
    import stand_ins

    def run(name: str, writer: str, size: int, minimum: float | None):
        source = replace(REGISTRY[name], sha256=(), mirror_files=(), expected_rows=None)
        getattr(stand_ins, writer)(source, tmp_path, np.random.default_rng(0), size)
        rows, provenance = tmp_path / "rows.parquet", tmp_path / "rows.json"
        fetch_source(source, Origin("mirror", mirror_dir=str(tmp_path)), rows, provenance)
        problems = read_source(rows, {"reader": source.reader, "source": name, "files": []}, name)
        recipe = CurationRecipe(name, minimum, eval_problems="all", max_train_problems=None, seed=0)
        return problems, curate(problems, recipe, get_reader(source.reader).sentinels).kept

    return run


def test_deepmath(curated):
    problems, kept = curated("deepmath-103k", "write_deepmath", 2000, 8.5)
    assert (len(problems), len(kept)) == (2000, 2000 * 5399 // 103022)
    assert kept["topic"].str.startswith("Mathematics -> ").all()


def test_skywork(curated):
    problems, kept = curated("skywork-or1", "write_skywork", 2000, 13)
    assert (len(problems), len(kept)) == (2000 * 40000 // 105055, 2000 * 6702 // 105055)
    assert kept["answer"].str.isdecimal().all()


def test_dapo(curated):
    problems, kept = curated("dapo-math-17k", "write_dapo", 100, None)
    assert len(problems) == 100
    assert len(kept) == 100 * 17398 // 17917
