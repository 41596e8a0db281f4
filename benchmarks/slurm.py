"""The core rows of scale tiny through a real Slurm with two slots of one core each, against this machine without it.

Through the profiles slurm and small-jobs, without environments of their own, so that jobs are forks; `GROUPED=no` runs
the former alone, in which each job is one of Slurm.

Needs what `tests/slurm` needs (Debian's Slurm, root). CPU seconds are those of the whole machine, which must be quiet.
A row whose peer is a target says so.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from checkouts import Checkout, copy_code
from harness import Row, report
from slurm_cluster import Cluster, why_not
from slurm_project import MODULES, Project

TARGET_S = 480.0
GROUPED = os.environ.get("GROUPED") != "no"


def busy_seconds() -> float:
    """Processor seconds that this machine has been busy since it was started."""
    fields = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    user, nice, system = fields[:3]
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def cost(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of a call."""
    wall, busy = time.perf_counter(), busy_seconds()
    call()
    return time.perf_counter() - wall, busy_seconds() - busy


def core_rows(folder: Path) -> Checkout:
    """A copy of the workflow whose tier core is the rows of that name, without the further seeds."""
    checkout = copy_code(folder)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    if GROUPED or not MODULES.exists():
        checkout.edit("profiles/slurm/profile.yaml", "software-deployment-method", "#")
    checkout.edit_scale(tiers__core=["core"])
    return checkout


def through_slurm(folder: Path) -> tuple[float, float, int]:
    """Wall and processor seconds of the rows through the profile as it is, and how many jobs Slurm had."""
    project, cluster = Project(core_rows(folder / "project")), Cluster(folder, cores=1)
    grouped = ["--workflow-profile", "small-jobs"] if GROUPED else []
    command = [sys.executable, "-m", "snakemake", "--profile", "slurm", *grouped, "all"]
    command += ["--config", "scale=tiny", "engine=transformers"]
    project.command = lambda *_: command  # type: ignore[method-assign]
    cluster.start()
    try:
        wall, busy = cost(lambda: project.run(seconds=7200))
        return wall, busy, len(cluster.ended())
    finally:
        cluster.stop()


def main() -> None:
    """Run both and print."""
    if reason := why_not():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory() as folder:
        slurm_wall, slurm_busy, jobs = through_slurm(Path(folder))
        local = core_rows(Path(folder) / "local")
        wall, busy = cost(lambda: local.run("all"))
    report(
        "slurm",
        [
            Row(f"wall time, {jobs} jobs of Slurm", slurm_wall, wall, "without Slurm", wall / slurm_wall, "s"),
            Row(f"wall time, {jobs} jobs of Slurm", slurm_wall, TARGET_S, "target", TARGET_S / slurm_wall, "s"),
            Row(f"processors, {jobs} jobs of Slurm", slurm_busy, busy, "without Slurm", busy / slurm_busy, "s"),
        ],
    )


if __name__ == "__main__":
    main()
