"""What is planned over finished results: nothing expensive unless a setting that decides a run has changed.

The results are made up, file by file as Snakemake lists them, with manifests that say what a run was trained with:
plans look at nothing else.
"""

import json
import os
import random
import re
import shutil
from pathlib import Path

import pytest
from conftest import Checkout, copy_code

from rlvr.plan.settings import TrainSettings

KEPT = (
    "qwen3-8b_deepmath-hard_lora-r8_bs64_s42",
    "qwen3-8b_deepmath-hard_lora-r256_bs64_s42",
    "qwen3-8b_deepmath-hard_quanta-d3-no-kv_bs64_s42",
)
QUANTA = KEPT[2]
STAGES = ("train", "evaluate")
EXPENSIVE = {"train_run", "generate_samples", "decompose_base", "pretrain_model"}
WEIGHTS = "a" * 64
NAMED = re.compile(r"^results/\S+", flags=re.MULTILINE)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A fresh clone into which results were copied in any order, without Snakemake's own records."""
    checkout = copy_code(tmp_path_factory.mktemp("plans") / "checkout")
    rows = checkout.read_grid()
    checkout.write_grid([{**row, "tier": "core" if row["run_id"] in KEPT else "full"} for row in rows])
    files = NAMED.findall(checkout.run(*STAGES, "--summary"))
    checkout.run(*(file for file in files if "/specs/" in file))
    shutil.rmtree(checkout.root / ".snakemake")
    for file in files:
        path = checkout.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if "/specs/" not in file:
            path.write_bytes(b"{}")
    for run_id in KEPT:
        results = checkout.root / "results/tiny"
        settings = TrainSettings.from_json(json.loads((results / f"specs/{run_id}.json").read_text())).to_json()
        (results / f"train/{run_id}/run.json").write_text(json.dumps({"settings": settings, "sha256": WEIGHTS}))
        for samples in (results / f"evaluate/{run_id}").rglob("samples.json"):
            samples.write_text(json.dumps({"weights": WEIGHTS}))
    order = random.Random(0)
    for file in files:
        moment = 1.6e9 + order.randrange(10**6)
        os.utime(checkout.root / file, (moment, moment))
    return checkout


@pytest.fixture(scope="module")
def touched(copied: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Those results after `snakemake --touch`: Snakemake has records of everything."""
    checkout = duplicate(copied, tmp_path_factory.mktemp("touched"))
    checkout.run(*STAGES, "--touch")
    return checkout


def duplicate(checkout: Checkout, folder: Path) -> Checkout:
    shutil.copytree(checkout.root, folder / "checkout", copy_function=shutil.copy2)
    return Checkout(folder / "checkout")


def expensive(checkout: Checkout, *arguments: str) -> tuple[dict[str, int], list[str]]:
    """Expensive jobs of the plan, and the lines about stale runs."""
    done = checkout.snakemake("-n", *STAGES, *arguments)
    assert done.returncode == 0, done.stdout
    jobs = re.findall(r"^(\w+)\s+(\d+)$", done.stdout.rpartition("Job stats:")[2], flags=re.MULTILINE)
    stale = re.findall(r"^stale: (\S+) was trained with", done.stdout, flags=re.MULTILINE)
    return {rule: int(count) for rule, count in jobs if rule in EXPENSIVE}, stale


def test_copied_results_are_neither_trained_nor_sampled_again(copied: Checkout, tmp_path: Path) -> None:
    assert expensive(duplicate(copied, tmp_path)) == ({}, [])


@pytest.mark.parametrize("results", ["copied", "touched"])
def test_a_changed_rate_plans_its_run_and_says_why_and_changed_back_plans_none(
    results: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    checkout = duplicate(request.getfixturevalue(results), tmp_path)
    before = (checkout.root / "workflow/scales/tiny.yaml").read_bytes()
    checkout.edit_scale(factors__learning_rate__structured=500)
    planned, stale = expensive(checkout)
    assert planned["train_run"] == 1 and stale == [QUANTA]
    assert planned["generate_samples"] == len(list((checkout.root / f"results/tiny/evaluate/{QUANTA}").iterdir()))
    if results == "touched":
        checkout.run(*STAGES, "--touch")  # calls them fresh for Snakemake, not for us
        assert expensive(checkout) == (planned, stale)
    (checkout.root / "workflow/scales/tiny.yaml").write_bytes(before)
    planned, stale = expensive(checkout)
    assert stale == []
    if results != "touched":  # its records say "500" now: jobs are planned that give back what is finished
        assert planned == {}


def cadence(checkout: Checkout) -> None:
    checkout.edit_scale(settings__checkpoint_every_steps=3)


def resources(checkout: Checkout) -> None:
    checkout.edit_scale(resources__train__mem_mb=4321, resources__sample__runtime_min=77)


def deleted_problems(checkout: Checkout) -> None:
    (checkout.root / "results/tiny/data/deepmath-hard/train.parquet").unlink()


def deleted_base(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / "results/tiny/models/qwen3-8b")


def added_source(checkout: Checkout) -> None:
    registry = checkout.root / "data/sources.csv"
    first = registry.read_text().splitlines()[1]
    registry.write_text(f"{registry.read_text()}another-source{first[first.index(',') :]}\n")


def data_module(checkout: Checkout) -> None:
    path = checkout.root / "workflow/lib/rlvr/data/curation.py"
    path.write_text(path.read_text() + "\nUNUSED_SETTING = 1\n")


def touched_inputs(checkout: Checkout) -> None:
    for name in ("data/deepmath-hard/train.parquet", "data/deepmath-hard/eval.parquet", "models/qwen3-8b/model.json"):
        (checkout.root / "results/tiny" / name).touch()


# A change, and what snakemake is told beside it: no file is small enough for a comparison of checksums.
HARMLESS = {
    "cadence of checkpoints": (cadence, ()),
    "resources": (resources, ()),
    "added source": (added_source, ()),
    "module of the data stage": (data_module, ()),
    "touched inputs above the limit of checksums": (touched_inputs, ("--max-checksum-file-size", "0")),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_decides_no_run_trains_and_samples_nothing(name: str, touched: Checkout, tmp_path: Path) -> None:
    change, arguments = HARMLESS[name]
    checkout = duplicate(touched, tmp_path)
    change(checkout)
    assert expensive(checkout, *arguments) == ({}, [])


@pytest.mark.parametrize("change", [deleted_problems, deleted_base])
def test_a_deleted_file_plans_jobs_that_give_back_what_they_find(change, touched: Checkout, tmp_path: Path) -> None:
    """Snakemake insists on whatever stands below a missing file, `ancient` or not; see `train.finished` and
    `evaluate.sampled`, which train and draw nothing then."""
    checkout = duplicate(touched, tmp_path)
    change(checkout)
    planned, stale = expensive(checkout)
    assert stale == [] and set(planned) <= {"train_run", "generate_samples"}
