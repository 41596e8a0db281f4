"""What is planned over finished results: nothing expensive unless a setting that decides a run has changed.

The results are made up, file by file as Snakemake lists them, with manifests that say what a run was trained with:
plans look at nothing else.
"""

import json
import os
import random
import re
import shutil
import sys
from pathlib import Path

import pytest
from conftest import Checkout, copy_code

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from bound_rows import load_program

from rlvr.plan.settings import TrainSettings

KEPT = (
    "qwen3-8b_deepmath-hard_lora-r8_bs64_s42",
    "qwen3-8b_deepmath-hard_lora-r256_bs64_s42",
    "qwen3-8b_deepmath-hard_quanta-d3-no-kv_bs64_s42",
)
QUANTA = KEPT[2]
STAGES = ("train", "evaluate", "spectra")
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
    program = load_program("tiny", "core")
    for record in checkout.root.glob("results/tiny/evaluate/*/*/samples.json"):
        asked = {"recipe": 1, "sampling": program.sampling(record.parent.name, "transformers")}
        weights = {"weights": WEIGHTS} if record.parents[1].name in KEPT else {}
        record.write_text(json.dumps({"asked": asked, **weights}))
    order = random.Random(0)
    for file in files:
        moment = 1.6e9 + order.randrange(10**6)
        os.utime(checkout.root / file, (moment, moment))
    return checkout


@pytest.fixture(scope="module")
def touched(copied: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Those results after `snakemake --touch`: Snakemake has records of everything."""
    checkout = duplicate(copied, tmp_path_factory.mktemp("touched"))
    checkout.run(*STAGES, "--touch", "--forceall")
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


def deleted_bases_and_data(checkout: Checkout) -> None:
    for name in ("models", "data"):
        shutil.rmtree(checkout.root / "results/tiny" / name)


def deleted_factors(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / "results/tiny/spectra/bases")


BASE, TRAIN = "results/tiny/models/qwen3-8b/model.json", "results/tiny/data/deepmath-hard/train.parquet"
# What is deleted beside finished results, the files that are wanted again, and the rules that bring them back;
# `check_run` compares them with what the runs recorded.
DELETED = {
    deleted_problems: ([TRAIN], {"curate_dataset": 1, "check_run": 3}),
    deleted_base: ([BASE], {"install_model": 1, "check_run": 3}),
    deleted_bases_and_data: (
        [BASE, TRAIN],
        {"install_model": 1, "fetch_source": 1, "curate_dataset": 1, "check_run": 3},
    ),
    deleted_factors: ([], {}),
}


@pytest.mark.parametrize("change", DELETED)
def test_what_is_deleted_beside_finished_results_comes_back_and_nothing_else_is_planned(
    change, touched: Checkout, tmp_path: Path
) -> None:
    checkout, (wanted, expected) = duplicate(touched, tmp_path), DELETED[change]
    change(checkout)
    planned = checkout.plan(*STAGES, *wanted)
    assert {rule: count for rule, count in planned.items() if rule not in STAGES} == expected


def test_deletions_in_copied_results_train_and_sample_nothing(copied: Checkout, tmp_path: Path) -> None:
    checkout = duplicate(copied, tmp_path)
    deleted_bases_and_data(checkout)
    assert expensive(checkout) == ({}, [])


def test_a_stale_run_is_trained_and_sampled_also_where_its_base_is_gone(touched: Checkout, tmp_path: Path) -> None:
    checkout = duplicate(touched, tmp_path)
    checkout.edit_scale(factors__learning_rate__structured=500)
    there, stale = expensive(checkout)
    deleted_bases_and_data(checkout)
    assert expensive(checkout) == (there, stale) and stale == [QUANTA] and there["train_run"] == 1


def test_changed_sampling_is_drawn_again_also_where_the_base_is_gone(touched: Checkout, tmp_path: Path) -> None:
    checkout = duplicate(touched, tmp_path)
    checkout.edit_scale(evaluate__seed=7)
    there, _ = expensive(checkout)
    deleted_bases_and_data(checkout)
    assert expensive(checkout)[0] == there and there["generate_samples"] > 3 and "train_run" not in there


def test_a_new_run_beside_finished_ones_brings_its_base_back_and_retrains_none(
    touched: Checkout, tmp_path: Path
) -> None:
    checkout = duplicate(touched, tmp_path)
    rows = checkout.read_grid()
    new = next(row for row in rows if row["tier"] == "full" and row["model"] == "qwen3-8b" and row["method"] == "lora")
    checkout.write_grid([{**row, "tier": "core" if row is new else row["tier"]} for row in rows])
    deleted_bases_and_data(checkout)
    planned = checkout.plan(*STAGES)
    assert [planned[rule] for rule in ("train_run", "measure_run", "generate_samples")] == [1, 1, 1], planned
    assert planned["install_model"] == 1 and planned["check_run"] == 4 and "factor_base" not in planned


def test_a_job_that_is_forced_has_its_base(touched: Checkout, tmp_path: Path) -> None:
    checkout = duplicate(touched, tmp_path)
    deleted_base(checkout)
    forced = checkout.plan("train", "--forcerun", "train_run")
    assert forced["train_run"] == 3 and forced["install_model"] == 1
