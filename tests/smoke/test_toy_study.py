"""Adding a paper is adding a folder: a toy study from its files to its PDF, with no other file touched."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from conftest import Checkout

TOY = {
    "study.yaml": """\
title: A toy study
citation: lora
recipe: {from: structure-over-scale, max_steps: 2}
run_tag: toy
benchmarks:
  deepmath-hard: {samples_per_problem: 1, temperature: 1.0, top_p: 1.0, max_completion_tokens: 4096}
""",
    "grid.csv": """\
tier,model,dataset,method,rank,alpha,target_modules,seed
core,qwen3-8b,deepmath-hard,lora,1|8,2r,all_linear,42
core,qwen3-8b,deepmath-hard,full,,,,42
""",
    "outputs.yaml": """\
outputs:
  table1:
    caption: A toy table.
    where: {dataset: deepmath-hard}
    labels: [Method, Configuration]
    columns:
      - {key: accuracy, header: Accuracy (%), statistic: avg_at_k, benchmark: deepmath-hard}
    rows:
      - {key: "lora-r{rank}", labels: [LoRA, "r = {rank}"], where: {method: lora}, each: [rank]}
      - {key: full, labels: [Full, all weights], where: {method: full}}
  figure1:
    kind: curve
    caption: A toy figure.
    where: {method: lora}
    plot:
      metric: reward
      header: Mean reward of a step
      window_steps: 1
      curves:
        - {series: one, where: {rank: 1}}
        - {series: eight, where: {rank: 8}}
""",
    "claims.yaml": """\
claims:
  a-larger-rank-is-no-worse:
    sentence: Rank 8 is within a hundred points of rank 1.
    where: section 1
    all:
      - {left: table1/lora-r8/accuracy, op: within, right: table1/lora-r1/accuracy, margin: {printed: 100}}
""",
    "reported/table1.csv": "row,accuracy\nlora-r1,40.0\nlora-r8,42.5\nfull,\n",
}


def files_of(root: Path) -> dict[str, bytes]:
    """Every file that a clone would hold."""
    kept = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    outside = {".snakemake", "results", "__pycache__", ".cache"}
    return {str(path.relative_to(root)): path.read_bytes() for path in kept if not outside & set(path.parts)}


@pytest.fixture(scope="module")
def toy(finished: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The finished small grid beside which the toy study is built."""
    root = tmp_path_factory.mktemp("toy") / "checkout"
    shutil.copytree(finished.root, root, copy_function=shutil.copy2, symlinks=True)
    before = files_of(root)
    for name, text in TOY.items():
        path = root / "workflow" / "studies" / "toy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    checkout = Checkout(root)
    checkout.run("paper", "claims", "--config", "studies=[toy]")
    added = {name: text for name, text in files_of(root).items() if name not in before}
    assert set(added) == {f"workflow/studies/toy/{name}" for name in TOY}
    return checkout


def paper(checkout: Checkout, *parts: str) -> Path:
    return checkout.root.joinpath("results", "tiny", "paper", "toy", *parts)


def test_the_pdf_the_table_the_figure_and_the_claim_are_there(toy: Checkout) -> None:
    assert paper(toy, "paper.pdf").read_bytes().startswith(b"%PDF")
    assert paper(toy, "figures", "figure1.png").read_bytes().startswith(b"\x89PNG")
    (claim,) = json.loads(paper(toy, "claims.json").read_text())["claims"]
    assert claim["verdict"] == "stand-in: one seed only" and claim["seeds"] == "42"
    text = paper(toy, "tables", "table1.md").read_text()
    assert "40.0" in text and "42.5" in text


def test_rank_one_is_trained_with_a_rank_of_its_own(toy: Checkout) -> None:
    runs = toy.root / "results" / "tiny" / "train"
    manifests = [json.loads(path.read_text()) for path in runs.glob("*_toy/run.json")]
    found = {run["settings"]["printed"]["rank"]: run["settings"]["rank"] for run in manifests}
    assert found == {1: 1, 8: 2, None: None}
    assert all(run["steps"] == 2 for run in manifests)


def test_the_first_studys_results_stand_beside_it_untouched(toy: Checkout) -> None:
    assert "Nothing to be done" in toy.run("-n")
    assert (toy.root / "results/tiny/paper/structure-over-scale/paper.pdf").is_file()


def test_two_studies_are_planned_together_and_nothing_is_done_twice(toy: Checkout) -> None:
    plan = toy.plan("all", "--config", "studies=[structure-over-scale, toy]")
    assert not {"train_run", "generate_samples", "grade_samples"} & set(plan)


def test_the_grid_is_printed_resolved(toy: Checkout) -> None:
    printed = toy.run("grid", "--quiet", "all", "--config", "studies=[toy]")
    lines = [line for line in printed.splitlines() if line.startswith(("run_id,", "qwen3-8b_"))]
    rows = list(csv.DictReader(lines))
    assert [row["run_id"].rpartition("_")[2] for row in rows] == ["toy"] * 3
    assert [(row["printed_rank"], row["rank"]) for row in rows] == [("1", "1"), ("8", "2"), ("", "")]
