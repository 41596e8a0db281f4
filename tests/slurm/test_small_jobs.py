"""Many small jobs in few of Slurm's: the profile small-jobs beside the profile slurm."""

from pathlib import Path

import pandas as pd
import pytest
from conftest import copy_code
from slurm_cluster import Cluster
from slurm_project import MODULES, RUNS, Project, make_project

GROUPED = ("--workflow-profile", "small-jobs", "--slurm-keep-successful-logs")
MORE = ("qwen3-8b_deepmath-hard_lora-r16_bs64_s42", "qwen3-8b_deepmath-hard_dora-r8_bs64_s42")
FIVE = (*RUNS, *MORE)
SCORES = [f"results/tiny/evaluate/{run_id}/main/scores.parquet" for run_id in FIVE]


def five_runs(root: Path, steps: int) -> Project:
    """A project whose tier core has five runs."""
    project = make_project(root, steps)
    if MODULES.exists():  # otherwise it is out already: jobs with environments of their own are no forks
        project.checkout.edit("profiles/slurm/profile.yaml", "software-deployment-method", "# no environments")
    grid = copy_code(root.with_name(f"{root.name}-grid")).read_grid()
    project.checkout.write_grid([{**row, "tier": "core" if row["run_id"] in FIVE else "full"} for row in grid])
    return project


@pytest.mark.nightly
def test_jobs_of_a_stage_are_one_job_of_slurm_and_their_results_the_same(slurm: Cluster, tmp_path: Path) -> None:
    """The curation, five trainings, five samplings, and ten grades and scores are a job each, of forks."""
    project, local = (five_runs(tmp_path / name, steps=2) for name in ("project", "local"))
    before = len(slurm.ended())
    out = project.run(*GROUPED, *SCORES)
    jobs = slurm.ended()[before:]
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert len(jobs) == 4, out
    logs = [path.read_text() for path in (project.root / ".snakemake" / "slurm_logs").rglob("*.log")]
    assert sum("Jobs are forks of one loaded process." in log for log in logs) == 3, logs  # all but the curation
    local.checkout.run(*SCORES, "--config", "warm_jobs=False")
    for run_id, scores in zip(FIVE, SCORES, strict=True):
        assert project.weights(run_id) == local.weights(run_id)
        pd.testing.assert_frame_equal(*(pd.read_parquet(each.root / scores) for each in (project, local)))
