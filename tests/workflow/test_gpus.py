"""Several GPUs without a scheduler: the profile `gpus`, planned, and run with pretended cards."""

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT, Checkout, Unedited, copy_code

RUN = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"
MANIFEST = f"results/paper/train/{RUN}/run.json"


RULES = """
import sys
rule all:
    input: expand("job{{number}}", number=range(4))
rule job:
    output: "job{{number}}"
    log: "job{{number}}.log"
    resources: gpu=1
    shell: "exec {{sys.executable}} -m rlvr.core.devices 1 {cards} {{log}} sh says.sh {{output}} &> {{log}}"
"""
SAYS = """
start=$(date +%s.%N)
sleep 0.5
echo $CUDA_VISIBLE_DEVICES $start $(date +%s.%N) > $1
"""


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


def test_as_many_jobs_run_as_there_are_cards_and_each_has_its_own(tmp_path: Path) -> None:
    """Snakemake counts cards, jobs choose them: stand-in jobs that say which they have, from when to when."""
    cards = {f"{tmp_path.name}-{letter}" for letter in "ab"}  # no other test has locks of these names
    (tmp_path / "Snakefile").write_text(RULES.format(cards=",".join(sorted(cards))))
    (tmp_path / "says.sh").write_text(SAYS)
    command = [sys.executable, "-m", "snakemake", "--cores", "4", "--resources", "gpu=2"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/lib"), "OMP_NUM_THREADS": "1"}
    env.pop("CUDA_VISIBLE_DEVICES", None)
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = [(tmp_path / f"job{number}").read_text().split() for number in range(4)]
    held = sorted((card, float(start), float(end)) for card, start, end in said)
    assert {card for card, _, _ in held} == cards
    for (card, _, end), (other, start, _) in pairwise(held):
        assert card != other or end <= start


CARDS_SCALE = """
from: tiny
settings: {devices: 1}
resources:
  train: {gpu: 1, card_gib: 79.6, mem_mb: 6000, runtime_min: 30, threads: 1}
  sample: {gpu: 1, mem_mb: 1500, runtime_min: 30, threads: 1}
  grade: {gpu: 0, mem_mb: 1500, runtime_min: 30, threads: 1}
"""
TRAININGS = [RUN, "qwen3-8b_deepmath-hard_lora-r16_bs64_s42"]


def with_cards(root: Path) -> Checkout:
    """A copy with a scale that trains each run on a card of its own; jobs run in what starts them."""
    checkout = copy_code(root)
    (root / "workflow/scales/tiny-cards.yaml").write_text(CARDS_SCALE)
    checkout.edit("profiles/gpus/profile.yaml", "software-deployment-method", "#")
    checkout.edit_scale(caps__max_steps=3, **{"datasets__deepmath-hard__max_train_problems": 24})
    return checkout


@pytest.mark.nightly
def test_two_trainings_at_once_have_a_card_each_and_the_weights_of_a_run_without_the_profile(tmp_path: Path) -> None:
    """Cards are pretended: accelerate is told to compute on processors, everything else is as on a machine with GPUs.

    The first free card is taken, so that two trainings have two cards only if neither waited for the other.
    """
    cards = [f"{tmp_path.name}-{letter}" for letter in "ab"]  # no other test has locks of these names
    scale, on_processors = ["--config", "scale=tiny-cards", "engine=transformers"], {"ACCELERATE_USE_CPU": "true"}
    manifests = [f"results/tiny-cards/train/{run_id}/run.json" for run_id in TRAININGS]
    profiled, plain = with_cards(tmp_path / "profiled"), with_cards(tmp_path / "plain")
    site = ["--resources", "gpu=2", "mem_mb=16000", "--set-threads", "train_run=1"]  # the profile's SITE lines
    done = profiled.snakemake(
        "--profile", "gpus", *site, *scale, f"gpus={','.join(cards)}", "--", *manifests, **on_processors
    )
    assert done.returncode == 0, done.stdout
    logs = [(profiled.root / f"results/tiny-cards/logs/train_run/{run_id}.log").read_text() for run_id in TRAININGS]
    held = [re.findall(r"^CUDA_VISIBLE_DEVICES=(.*)$", log, flags=re.MULTILINE) for log in logs]
    assert sorted(held) == [[card] for card in cards]
    done = plain.snakemake(*scale, "--", *manifests, **on_processors)
    assert done.returncode == 0, done.stdout
    for manifest in manifests:
        written = [json.loads((each.root / manifest).read_text()) for each in (profiled, plain)]
        assert [each["processes"] for each in written] == [1, 1]
        assert written[0]["sha256"]["adapter_after"] == written[1]["sha256"]["adapter_after"]
