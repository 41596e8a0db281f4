"""Time of a plan of thousands of runs: of reading and checking all files, and with Snakemake's own graph.

The primary study with one row of its grid repeated, over as many seeds as there are to be runs, on a fresh clone of
scale tiny: every job is planned, which costs at least what a call does that finds nothing to do. Sizes come from the
variable PLAN_RUNS (200,1000,4000 by default). CPU seconds are what to go by on a machine that does other things, too.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIZES = tuple(map(int, os.environ.get("PLAN_RUNS", "200,1000,4000").split(",")))
CODE = ("Snakefile", "workflow", "profiles", "data", "paper", "envs", "config.yaml")
GRID = Path("workflow/studies/structure-over-scale/grid.csv")
FIRST_SEED = 10_000


def make_copy(folder: Path, runs: int) -> None:
    """Copy the workflow, its primary grid with so many more runs: its first row of tier core, with seeds."""
    for name in CODE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    lines = (folder / GRID).read_text(encoding="utf-8").splitlines()
    cells = next(line for line in lines[1:] if line.startswith("core,")).split(",")
    cells[lines[0].split(",").index("seed")] = "|".join(str(FIRST_SEED + each) for each in range(runs))
    (folder / GRID).write_text("\n".join([*lines, ",".join(cells)]) + "\n", encoding="utf-8")


def measure(folder: Path, *arguments: str) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and planned jobs of a call of snakemake; ends the benchmark where it fails."""
    before, started = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "snakemake", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    after = os.times()
    jobs = re.findall(r"^total\s+(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE)
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - started, used, int(jobs[-1]) if jobs else 0


def main() -> None:
    """Print one line per size."""
    print(
        f"{'more runs':>10}{'jobs':>8}{'plan, wall s':>14}{'CPU s':>8}{'reading and checking, CPU s':>29}", flush=True
    )
    for runs in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_copy(folder, runs)
            _, reading, _ = measure(folder, "--list")
            wall, cpu, jobs = measure(folder, "-n", "-q", "rules")
            print(f"{runs:>10}{jobs:>8}{wall:>14.1f}{cpu:>8.1f}{reading:>29.1f}", flush=True)


if __name__ == "__main__":
    main()
