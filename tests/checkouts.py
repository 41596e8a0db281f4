"""Copies of the workflow in which tests plan, edit and run."""

import compileall
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from dry_runs import plan

from rlvr.plan.grid import name_run, read_grid

ROOT = Path(__file__).resolve().parents[1]
GRID = Path("workflow/studies/structure-over-scale/grid.csv")
STUDY = Path("workflow/studies/structure-over-scale/study.yaml")
TINY = Path("workflow/scales/tiny.yaml")
CODE = ("Snakefile", "workflow", "profiles", "slurm", "gpus", "data", "paper", "envs", "config.yaml", "Makefile")
PRINTS = {"-n", "--list", "--lint", "--summary", "--rulegraph", "--dag"}  # options with which Snakemake runs no job


@dataclass(frozen=True)
class Checkout:
    """A copy of the workflow's files in which a test may edit, plan and run."""

    root: Path

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run snakemake at the copy's root; output and errors come back joined in ``stdout``."""
        words, env = ["--cores", "2", *arguments], {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        command = [sys.executable, "-m", "snakemake", *words]
        if PRINTS.intersection(arguments) and not environment:  # nothing runs: a fork need not import Snakemake again
            return subprocess.CompletedProcess(command, *plan(self.root, words, env))
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


@cache
def compiled_code() -> Path:
    """A folder with what the workflow needs to run, its library compiled and the digests of its sources known.

    Copies keep time stamps, by which Python takes what is compiled, so that no fresh checkout compiles 400 files again
    (a second and a half for every call of Snakemake); what a test edits there is compiled and digested anew.
    """
    folder = Path(tempfile.mkdtemp(prefix="rlvr-code-"))  # removed at the end of the session
    ignore = shutil.ignore_patterns("__pycache__", "downloads")
    for name in CODE:
        source = ROOT / name
        if source.is_symlink():
            (folder / name).symlink_to(source.readlink())
        elif source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy2(source, folder / name)
    compileall.compile_dir(folder / "workflow", quiet=1)
    Checkout(folder).run("--list")  # digests what rules reach
    shutil.rmtree(folder / ".snakemake", ignore_errors=True)
    return folder


def forget_compiled() -> None:
    """Remove the folder of :func:`compiled_code`, where there is one."""
    if compiled_code.cache_info().currsize:
        shutil.rmtree(compiled_code(), ignore_errors=True)


def copy_code(target: Path) -> Checkout:
    """Copy what the workflow needs to run, as a fresh clone would hold it that once listed its rules."""
    shutil.copytree(compiled_code(), target, symlinks=True)
    return Checkout(target)


@dataclass(frozen=True)
class Unedited(Checkout):
    """A checkout that no test edits and in which nothing runs: what was printed there once is not asked for again."""

    known: dict[tuple[str, ...], subprocess.CompletedProcess[str]] = field(default_factory=dict, compare=False)

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Ask snakemake what it would do, or recall what it said."""
        assert PRINTS.intersection(arguments), "only what runs no job may be asked here"
        if environment:
            return super().snakemake(*arguments, **environment)
        if arguments not in self.known:
            self.known[arguments] = super().snakemake(*arguments)
        return self.known[arguments]
