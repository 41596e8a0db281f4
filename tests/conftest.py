"""Fixtures that every folder of tests shares."""

import csv
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from rlvr.plan.grid import name_run, read_grid

ROOT = Path(__file__).resolve().parents[1]
GRID = Path("workflow/studies/structure-over-scale/grid.csv")
STUDY = Path("workflow/studies/structure-over-scale/study.yaml")
TINY = Path("workflow/scales/tiny.yaml")
CODE = ("Snakefile", "workflow", "profiles", "slurm", "data", "paper", "envs", "config.yaml", "Makefile")

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("CI", "true")


LONG_FIRST = ("slurm", "smoke", "workflow", "browser")  # folders whose files take minutes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first: two workers that take whole files in turns then end together."""

    def turn(item: pytest.Item) -> int:
        folder = item.path.parent.name
        return LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST)

    items.sort(key=turn)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real rows, named by the environment variable REAL_DATA_DIR."""
    folder = os.environ.get("REAL_DATA_DIR", "")
    if not folder:
        pytest.skip("REAL_DATA_DIR is not set: no real rows to test on")
    if not Path(folder).is_dir():
        pytest.skip(f"REAL_DATA_DIR={folder} is not a folder: no real rows to test on")
    return Path(folder).resolve()


@dataclass(frozen=True)
class Checkout:
    """A copy of the workflow's files in which a test may edit, plan and run."""

    root: Path

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run snakemake at the copy's root; output and errors come back joined in ``stdout``."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        env = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.run(command, cwd=self.root, env=env, text=True, check=False, **pipes)

    def plan(self, *arguments: str, **environment: str) -> Counter[str]:
        """Count the jobs of each rule that `snakemake -n` plans."""
        done = self.snakemake("-n", *arguments, **environment)
        assert done.returncode == 0, done.stdout
        table = done.stdout.rpartition("Job stats:")[2]
        jobs = re.findall(r"^(\w+)\s+(\d+)$", table, flags=re.MULTILINE)
        return Counter({rule: int(count) for rule, count in jobs if rule != "total"})

    def run(self, *arguments: str) -> str:
        """Run snakemake and expect success."""
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def read_grid(self) -> list[dict[str, Any]]:
        """The rows of the primary grid, products expanded, each with the id that it gives."""
        rows = read_grid(self.root / GRID, self.root / "workflow" / "schemas")
        return [{**row, "run_id": name_run(row, row["completions_per_step"] or 64)} for row in rows]

    def write_grid(self, rows: list[dict[str, Any]]) -> None:
        """Write rows without ids: a changed row gets its own."""
        columns = [column for column in rows[0] if column != "run_id"]
        with (self.root / GRID).open("w", newline="") as stream:
            writer = csv.DictWriter(stream, columns, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    def edit(self, path: Path | str, old: str, new: str) -> None:
        """Replace text in a file; the text must be there."""
        file = self.root / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new))

    def edit_scale(self, **changes: object) -> None:
        """Change values of the tiny scale; `a__b` names a nested key."""
        file = self.root / TINY
        scale = yaml.safe_load(file.read_text())
        for name, value in changes.items():
            *path, last = name.split("__")
            block = scale
            for key in path:
                block = block[key]
            block[last] = value
        file.write_text(yaml.safe_dump(scale, sort_keys=False))


def copy_code(target: Path) -> Checkout:
    """Copy what the workflow needs to run, as a fresh clone would hold it."""
    target.mkdir(parents=True)
    ignore = shutil.ignore_patterns("__pycache__", "downloads")
    for name in CODE:
        source = ROOT / name
        if source.is_symlink():
            (target / name).symlink_to(source.readlink())
        elif source.is_dir():
            shutil.copytree(source, target / name, ignore=ignore)
        else:
            shutil.copy2(source, target / name)
    return Checkout(target)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh copy of the workflow without results."""
    return copy_code(tmp_path / "checkout")
