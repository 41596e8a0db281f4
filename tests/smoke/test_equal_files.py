"""Equal inputs give equal files: one run trained in two places, compared byte by byte but for what is declared."""

from pathlib import Path

import pytest
from conftest import Checkout
from small_models import settings_of
from small_runs import train, write_inputs

from rlvr.core.io import read_json, read_table, write_json
from rlvr.report.files import OF_THE_MACHINE, content_digest
from rlvr.tables import METRICS
from rlvr.train.written import order_names

# What two equal runs may differ in: time and memory of the machine, and whose lock it was.
DECLARED = {
    ".lock",
    *(f"{folder}{name}" for folder in ("", ".finished/") for name in ("run.json", "metrics.parquet", "seal.json")),
}


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("method", ["lora", "sparse-union"])
def test_a_run_in_another_place_writes_the_same_files(method, tmp_path):
    made = []
    for name in ("here", "some where/else"):
        inputs = tmp_path / name / "inputs"
        inputs.mkdir(parents=True)
        write_inputs(inputs)
        short = {"run_id": method, "checkpoint_every_steps": 2, "max_completion_tokens": 12}
        write_json(settings_of(method).to_json() | short, inputs / "spec.json")
        train(inputs / "spec.json", inputs, tmp_path / name / "run")
        made.append(tmp_path / name / "run")
    first, second = map(files_of, made)
    assert set(first) == set(second) and {name for name in first if first[name] != second[name]} <= DECLARED
    manifests = [read_json(run / "run.json") for run in made]
    assert {key for key in manifests[0] if manifests[0][key] != manifests[1][key]} <= OF_THE_MACHINE
    rows = [read_table(run / "metrics.parquet", METRICS).drop(columns="seconds") for run in made]
    assert rows[0].equals(rows[1])
    for name in ("run.json", "metrics.parquet"):  # what stands in the files that are made from them
        assert content_digest(str(made[0] / name)) == content_digest(str(made[1] / name))
    assert not any(str(tmp_path).encode() in content for content in first.values())


def test_the_sets_of_an_adapters_configuration_have_one_order(tmp_path):
    """PEFT writes a set as its process hashes it, which differs between two starts of Python."""
    written = []
    for names in (["v_proj", "q_proj", "o_proj"], ["o_proj", "v_proj", "q_proj"]):
        write_json({"r": 2, "target_modules": names, "layers": [3, 1], "peft_type": "LORA"}, tmp_path / "config.json")
        order_names(tmp_path / "config.json")
        written.append((tmp_path / "config.json").read_bytes())
    assert written[0] == written[1]
    assert read_json(tmp_path / "config.json")["layers"] == [3, 1]  # a list of numbers is no set of names


@pytest.mark.nightly
def test_two_workflows_from_scratch_write_the_same_files(finished: Checkout, another: Checkout):
    """Specs, data, bases, runs, samples, grades, scores, spectra and a table, byte for byte."""
    first, second = (files_of(checkout.root / "results/tiny") for checkout in (finished, another))
    made = {name for name in second if not name.startswith(("logs/", "benchmarks/"))}
    folders = ("specs", "data", "models", "train", "evaluate", "spectra", "paper")
    assert {name.split("/")[0] for name in made} >= set(folders) and made <= set(first)
    differ = {name for name in made if first[name] != second[name]}
    assert {"/".join(name.split("/")[2:]) for name in differ if name.startswith("train/")} <= DECLARED
    assert [name for name in differ if not name.startswith("train/")] == []
    for manifest in (name for name in made if name.startswith("train/") and name.endswith("run.json")):
        one, other = (read_json(checkout.root / "results/tiny" / manifest) for checkout in (finished, another))
        assert {key for key in one if one[key] != other[key]} <= OF_THE_MACHINE
