"""Several GPUs without a scheduler: the profile `gpus`, planned, and run with pretended cards."""

import re
from pathlib import Path

import pytest
import yaml
from conftest import TINY, Checkout, Unedited

RUN = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"
SAMPLES = [f"results/tiny/evaluate/{base}_base/main/samples.parquet" for base in ("qwen3-8b", "llama-3.1-8b")]
MANIFEST = f"results/paper/train/{RUN}/run.json"


def test_a_training_takes_its_cards_before_its_launcher_starts(unedited: Unedited) -> None:
    plan = unedited.snakemake("--profile", "gpus", "-n", "-p", "--", MANIFEST).stdout
    command = next(line for line in plan.splitlines() if "-m rlvr.train " in line)
    log = f"results/paper/logs/train_run/{RUN}.log"
    before = f"exec python -m rlvr.core.devices 4 all {log} python -m rlvr.core.launching accelerate launch "
    assert before in command
    assert "rlvr.core.devices" not in unedited.snakemake("--profile", "slurm", "-n", "-p", "--", MANIFEST).stdout


def test_fewer_cards_than_a_job_needs_are_refused_in_the_plan(unedited: Unedited) -> None:
    refused = unedited.snakemake("--profile", "gpus", "-n", "--config", "gpus=0,1", "--", MANIFEST)
    assert refused.returncode != 0
    assert "key 'gpus': lists 2 GPUs, and resources.train.gpu of the scale is 4." in refused.stdout
    one = unedited.snakemake("--profile", "gpus", "-n", "--config", "gpus=0", "--", MANIFEST)
    assert "key 'gpus': lists 1 GPUs" in one.stdout, one.stdout


@pytest.mark.nightly
def test_two_jobs_at_once_have_cards_of_their_own(checkout: Checkout, tmp_path: Path) -> None:
    """Two bases are sampled on two cards at once."""
    scale = yaml.safe_load((checkout.root / TINY).read_text())
    checkout.edit_scale(resources__sample={**scale["resources"]["sample"], "gpu": 1})
    checkout.edit("profiles/gpus/profile.yaml", "software-deployment-method", "#")  # jobs run in what starts them
    cards = {f"{tmp_path.name}-{letter}" for letter in "ab"}  # no other test has locks of these names
    given = ["scale=tiny", "engine=transformers", "preflight=False", f"gpus={','.join(sorted(cards))}"]
    checkout.run("--profile", "gpus", "--resources", "gpu=2", "--config", *given, "--", *SAMPLES)
    logs = [path.read_text() for path in (checkout.root / "results/tiny/logs/generate_samples").glob("*.log")]
    shown = [re.search(r"CUDA_VISIBLE_DEVICES=(\S+)", log) for log in logs]
    assert len(logs) == 2 and {found and found[1] for found in shown} == cards
