"""What a call that submits to a scheduler looks at before its first job."""

import os
from pathlib import Path

from conftest import Checkout

RUN = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"


def test_what_runs_on_this_machine_does_not_wait_for_the_queue(checkout: Checkout, tmp_path: Path) -> None:
    """The queue always lists a job of this folder: whoever waits for it, waits without end."""
    squeue = tmp_path / "bin" / "squeue"
    squeue.parent.mkdir()
    squeue.write_text(f"#!/bin/sh\necho '7|{checkout.root}|rule_train_run_wildcards_x'\n")
    squeue.chmod(0o755)
    path = f"{squeue.parent}{os.pathsep}{os.environ['PATH']}"
    quick = ("--slurm-init-seconds-before-status-checks", "1")  # its thread sleeps for 40 s otherwise
    done = checkout.snakemake("--executor", "slurm", *quick, "--jobs", "1", "--", "plan", PATH=path)
    assert done.returncode == 0 and "GPU-hours left" in done.stdout, done.stdout
    assert "in the queue already" not in done.stdout


def test_a_budget_is_reckoned_from_manifests_and_one_that_cannot_be_read_is_named(checkout: Checkout) -> None:
    manifest = checkout.root / "results" / "tiny" / "train" / RUN / "run.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_bytes(b"\xff")
    done = checkout.snakemake("-n", "--config", "budget={gpu_hours: 1}")
    assert done.returncode != 0 and "run.json: not valid JSON" in done.stdout, done.stdout
    assert "Traceback" not in done.stdout


def test_shares_of_samples_are_jobs_where_the_engine_can_draw_them(checkout: Checkout) -> None:
    """At scale paper a suite of a run becomes four jobs and the one that puts them together."""
    paper = ("--config", "scale=paper", "engine=vllm")
    checkout.edit("workflow/scales/paper.yaml", "  sample: {gpu: 1,", "  sample: {shards: 4, gpu: 1,")
    plan = checkout.plan("evaluate", *paper)
    assert plan["sample_shard"] == 4 * plan["generate_samples"] > 0
    refused = checkout.snakemake("-n", "--config", "scale=paper", "engine=transformers")
    assert refused.returncode != 0 and "key 'resources.sample.shards': the engine 'transformers'" in refused.stdout
    checkout.edit("workflow/scales/paper.yaml", "  grade: {gpu: 0,", "  grade: {shards: 2, gpu: 0,")
    refused = checkout.snakemake("-n", *paper)
    assert refused.returncode != 0 and "only samples are shared" in refused.stdout
