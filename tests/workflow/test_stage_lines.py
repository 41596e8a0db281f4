"""The log of a real call of Snakemake holds what the lines about stages are made of."""

import os
from pathlib import Path

import dry_runs

from rlvr.core.stages import follow, progress_of

SNAKEFILE = """
rule all:
    input: expand("results/tiny/{n}.run", n=range(3))

rule write_spec:
    output: "results/tiny/{n}.spec"
    shell: "touch {output}"

rule train_run:
    input: "results/tiny/{n}.spec"
    output: "results/tiny/{n}.run"
    shell: "test -e {wildcards.n}.again -o {wildcards.n} = 0 && touch {output} || (touch {wildcards.n}.again; exit 1)"
"""


def call(folder: Path, *arguments: str) -> int:
    return dry_runs.plan(folder, ["--cores", "1", *arguments], dict(os.environ))[0]


def counts(folder: Path) -> dict[str, tuple[int, int, int]]:
    found = follow(folder / "results/tiny").look()
    assert found is not None
    return {stage.name: (stage.done, stage.total, stage.failed) for stage in progress_of(found).stages}


def test_done_failed_and_restarted_jobs_of_a_real_call(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    assert call(tmp_path, "--keep-going") != 0
    assert counts(tmp_path) == {"train": (4, 6, 2), "targets": (0, 1, 0)}
    for path in [*tmp_path.glob("*.again"), *tmp_path.glob("results/tiny/*")]:
        path.unlink()
    assert call(tmp_path, "--retries", "1") == 0
    assert counts(tmp_path) == {"train": (6, 6, 0), "targets": (1, 1, 0)}
    found = follow(tmp_path / "results/tiny").look()
    assert found is not None and progress_of(found).left == "all done" and found.ended
    assert len(found.seconds["train_run"]) == 3
