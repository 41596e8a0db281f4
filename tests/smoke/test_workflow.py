"""The whole workflow on a small grid, for real, and what an edit afterwards reruns."""

import json
import os
import re
import shutil
import subprocess

import pandas as pd
import pytest
from conftest import ROOT, Checkout

from rlvr.plan.declarations import read_declarations

RUN = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"
QUANTA = "qwen3-8b_deepmath-hard_quanta-d3-no-kv_bs64_s42"
DECLARED = list(read_declarations(ROOT / "workflow/studies/structure-over-scale/outputs.yaml"))
TABLES = tuple(name for name in DECLARED if name.startswith("table"))
FIGURES = tuple(name for name in DECLARED if name.startswith("figure"))
PRINTED = {f"table{number}" for number in range(1, 19)} | {f"figure{number}" for number in range(1, 7)}  # 7 is 1 again
TEXTS = (".csv", ".md", ".tex")  # of a table, in bytes that depend on its inputs alone


def results(checkout: Checkout, *parts: str):
    return checkout.root.joinpath("results", "tiny", *parts)


def paper(checkout: Checkout, *parts: str):
    return results(checkout, "paper", "structure-over-scale", *parts)


def nothing_to_do(checkout: Checkout, *arguments: str) -> bool:
    return "Nothing to be done" in checkout.run("-n", *arguments)


def test_every_table_and_figure_of_the_paper_is_declared() -> None:
    assert set(DECLARED) >= PRINTED


def test_every_output_is_there(finished: Checkout) -> None:
    for table in TABLES:
        for suffix in ("tex", "csv", "md"):
            assert paper(finished, "tables", f"{table}.{suffix}").stat().st_size > 0
    for figure in FIGURES:
        assert paper(finished, "figures", f"{figure}.pdf").read_bytes().startswith(b"%PDF")
        assert paper(finished, "figures", f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert paper(finished, "paper.pdf").read_bytes().startswith(b"%PDF")
    assert "\\newcommand" in paper(finished, "numbers.tex").read_text()


def test_outputs_whose_runs_are_missing_say_so(finished: Checkout) -> None:
    """Four runs of 222: every table is there, and marks what was not run."""
    for table in ("table6", "table14"):
        cells = pd.read_csv(paper(finished, "tables", f"{table}.csv"))
        assert (
            set(cells["verdict"]) == {"not run"}
            and "no run for it" in paper(finished, "tables", f"{table}.md").read_text()
        )
    assert "No problem was found" in paper(finished, "tables", "table18.md").read_text()
    facts = pd.read_csv(paper(finished, "tables", "table8.csv")).set_index("key")
    assert facts.loc["group-size", ["configured", "recorded", "verdict", "tag"]].tolist() == [
        "8",
        "8",
        "agrees",
        "SOURCE",
    ]


@pytest.mark.nightly  # every table and figure once more; that of a deleted table is tested below
def test_the_paper_is_made_again_from_its_files_alone(copied: Checkout) -> None:
    """Without a study's folder of results nothing is trained, and every table comes back with the same bytes."""
    folder = paper(copied)
    texts = {
        path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.*")) if path.suffix in TEXTS
    }
    assert len([path for path in texts if path.parent.name == "tables"]) == len(TEXTS) * len(TABLES)
    shutil.rmtree(folder)
    plan = copied.plan()
    assert plan["tabulate_output"] == len(TABLES) and plan["plot_output"] == len(FIGURES)
    assert not {"train_run", "generate_samples", "grade_samples", "score_run", "measure_run"} & set(plan)
    copied.run("paper", "claims")
    again = {path: (folder / path).read_bytes() for path in texts if (folder / path).is_file()}
    assert set(texts) - set(again) <= {path for path in texts if "table" not in path.name and "figure" not in path.name}
    assert [path for path in again if again[path] != texts[path]] == []


def test_samples_are_shown_beside_those_of_the_base(copied: Checkout) -> None:
    copied.run("samples", "--config", f'samples={{"runs": ["{RUN}"], "problems": 2}}')
    text = paper(copied, "samples", "deepmath-hard.md").read_text()
    assert text.count("## Problem ") == 2 and text.count("qwen3\\-8b\\_base: ") == 2 and text.count("lora\\-r8") == 2
    assert paper(copied, "samples", "deepmath-hard.html").read_text().count("<article") == 4
    assert not paper(copied, "samples", "math.md").exists()


def test_the_report_is_self_contained(finished: Checkout) -> None:
    report = results(finished, "paper", "report.html").read_text()
    assert "table4" in report
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="https?://', report)


def test_a_second_call_does_nothing(finished: Checkout) -> None:
    assert nothing_to_do(finished)


def test_the_manifest_says_what_was_trained(finished: Checkout) -> None:
    manifest = json.loads(results(finished, "train", RUN, "run.json").read_text())
    assert manifest["settings"]["rank"] == 1
    assert manifest["status"] == "finished"
    assert results(finished, "train", RUN, "adapter", "adapter_model.safetensors").is_file()
    assert not results(finished, "train", RUN, "checkpoints").exists()


def test_scores_name_their_verdicts(finished: Checkout) -> None:
    folder = results(finished, "evaluate", RUN, "main")
    all_scores, all_grades = (pd.read_parquet(folder / f"{name}.parquet") for name in ("scores", "grades"))
    for benchmark in ("deepmath-hard", "aime-2025-2026"):
        scores, grades = (table[table["benchmark"] == benchmark] for table in (all_scores, all_grades))
        assert set(scores["statistic"]) == {"avg_at_k", "pass_at_k", "maj_at_k"}
        assert (scores["k"] == 2).all()
        assert ((scores["low"] <= scores["value"]) & (scores["value"] <= scores["high"])).all()
        assert scores["unparsed_share"].iloc[0] == pytest.approx((grades["verdict"] == "unparsed").mean())


def test_effective_rank_stays_below_the_bound(finished: Checkout) -> None:
    spectra = pd.read_parquet(results(finished, "spectra", f"{RUN}.parquet"))
    wide = spectra.pivot(index="module", columns="quantity", values="value")
    assert len(wide) == 2 * 7
    assert (wide["effective_rank"] <= wide["rank_bound"] + 1e-9).all()
    assert (wide["rank_bound"] == 1).all()


def test_diagnostics_of_a_run_name_every_module_and_the_model(finished: Checkout) -> None:
    diagnostics = pd.read_parquet(results(finished, "spectra", "diagnostics", f"{RUN}.parquet"))
    modes = diagnostics[diagnostics["quantity"] == "mode_share"].groupby("module")["value"].sum()
    assert len(modes) == 2 * 7 and modes.to_numpy() == pytest.approx(1.0)
    (unchanged,) = diagnostics[diagnostics["quantity"] == "model_sparsity"]["value"]
    assert 0 < unchanged < 1


def test_a_deleted_table_trains_nothing_and_comes_back_with_the_same_bytes(copied: Checkout) -> None:
    table = paper(copied, "tables", "table4.tex")
    before = table.read_bytes()
    table.unlink()
    assert set(copied.plan("table4")) <= {"tabulate_output", "table4"}
    copied.run("table4")
    assert table.read_bytes() == before


def test_comments_scripts_and_time_stamps_rerun_nothing(copied: Checkout) -> None:
    library = copied.root / "workflow" / "lib" / "rlvr"
    for path in (library / "evaluate" / "scoring.py", library / "train" / "trainer.py"):
        path.write_text(path.read_text() + "\n# a remark\n")
    for path in (copied.root / "workflow" / "scripts").glob("*.py"):
        path.touch()
    for path in (copied.root / "workflow").rglob("*"):  # what `git checkout` does to files
        os.utime(path)
    assert nothing_to_do(copied)


def test_an_edit_of_cheap_code_reruns_what_uses_it(copied: Checkout) -> None:
    path = copied.root / "workflow" / "lib" / "rlvr" / "evaluate" / "scoring.py"
    path.write_text(path.read_text() + "\nUNUSED_SETTING = 1\n")
    plan = copied.plan()
    assert plan["score_run"] > 0
    assert not {"train_run", "generate_samples", "grade_samples", "measure_run"} & set(plan)


def test_a_changed_rate_trains_its_runs_and_updates_their_dependents(copied: Checkout) -> None:
    """The rate is not part of a name: both runs of its family, and only they, are trained again under their names."""
    copied.edit_scale(factors__learning_rate__structured=500)
    plan = copied.plan()
    assert plan["train_run"] == plan["measure_run"] == 2
    assert plan["compile_paper"] == 1
    assert expensive(copied)["generate_samples"] == plan["grade_samples"]
    copied.run(f"results/tiny/train/{QUANTA}/checked.json")
    manifest = json.loads(results(copied, "train", QUANTA, "run.json").read_text())
    assert manifest["settings"]["learning_rate"] == pytest.approx(5e-3)


def test_an_added_row_adds_one_training_job(copied: Checkout) -> None:
    rows = copied.read_grid()
    added = {**rows[0], "run_id": RUN.replace("s42", "s7"), "seed": "7"}
    copied.write_grid([*rows, added])
    plan = copied.plan()
    assert plan["train_run"] == 1
    assert plan["generate_samples"] == 1


EXPENSIVE = {"train_run", "generate_samples", "decompose_base", "pretrain_model"}


def expensive(checkout: Checkout, *arguments: str) -> dict[str, int]:
    """Expensive jobs that are planned."""
    return {rule: count for rule, count in checkout.plan(*arguments).items() if rule in EXPENSIVE}


@pytest.mark.parametrize(
    "module", ["tables.py", "core/io.py", "core/errors.py", "data/readers/registered.py", "data/usable.py"]
)
def test_an_edit_of_the_data_stage_trains_and_samples_nothing(copied: Checkout, module: str) -> None:
    path = copied.root / "workflow" / "lib" / "rlvr" / module
    path.write_text(path.read_text() + "\nUNUSED_SETTING = 1\n")
    plan = copied.plan()
    assert plan["curate_dataset"] > 0 and plan["check_run"] > 0
    assert not EXPENSIVE & set(plan)


def test_an_added_source_reruns_nothing(copied: Checkout) -> None:
    registry = copied.root / "data" / "sources.csv"
    first = registry.read_text().splitlines()[1]
    with registry.open("a") as stream:
        stream.write("another-source" + first[first.index(",") :] + "\n")
    assert nothing_to_do(copied)


def test_a_corrected_licence_makes_the_cards_anew_and_trains_nothing(copied: Checkout) -> None:
    registry = copied.root / "data" / "sources.csv"
    text = registry.read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("deepmath-103k,")]
    registry.write_text(text.replace(line, line.replace("MIT", "MIT (see its page)")))
    plan = copied.plan()
    assert plan["fetch_source"] == plan["curate_dataset"] == 1
    assert not EXPENSIVE & set(plan)


def test_a_changed_rate_is_trained_while_the_data_stage_is_redone(copied: Checkout) -> None:
    """Snakemake masks changed parameters below a job that runs; changed settings have to come through all the same."""
    path = copied.root / "workflow" / "lib" / "rlvr" / "data" / "curation.py"
    path.write_text(path.read_text() + "\nUNUSED_SETTING = 1\n")
    copied.edit_scale(factors__learning_rate__structured=500)
    assert copied.plan("train")["train_run"] == 2


def test_changed_problems_stop_with_run_file_and_both_digests(copied: Checkout) -> None:
    """Rows of the training split change under a finished run: it is neither trained again nor used as it is."""
    recorded = json.loads(results(copied, "train", RUN, "run.json").read_text())["inputs"]["train_sha256"]
    path = results(copied, "data", "deepmath-hard", "train.parquet")
    problems = pd.read_parquet(path)
    problems.assign(answer=problems["answer"].where(problems.index > 0, "7")).to_parquet(path)
    assert not expensive(copied)
    done = copied.snakemake("--keep-going", "results/tiny/spectra/" + RUN + ".parquet")
    assert done.returncode != 0
    log = results(copied, "logs", "check_run", f"{RUN}.log").read_text()
    (digest,) = set(re.findall(r"[0-9a-f]{64}", log)) - {recorded}
    for words in (RUN, "was trained on other problems", "train.parquet", "raise recipe_version", digest, recorded):
        assert words in log


def test_changed_questions_stop_before_their_samples_are_graded(copied: Checkout) -> None:
    path = results(copied, "data", "deepmath-hard", "eval.parquet")
    problems = pd.read_parquet(path)
    problems.assign(question=problems["question"] + " ").to_parquet(path)
    assert not expensive(copied)
    target = f"results/tiny/evaluate/{RUN}/main/grades.parquet"
    assert copied.snakemake(target).returncode != 0
    log = results(copied, "logs", "grade_samples", f"{RUN}_main.log").read_text()
    assert "samples.json" in log and "other problems of 'deepmath-hard'" in log and "sample again" in log


def test_changed_golds_are_graded_anew_without_sampling(copied: Checkout) -> None:
    path = results(copied, "data", "deepmath-hard", "eval.parquet")
    problems = pd.read_parquet(path)
    problems.assign(answer="7").to_parquet(path)
    plan = copied.plan("evaluate")
    assert plan["grade_samples"] > 0 and not EXPENSIVE & set(plan)
    copied.run(f"results/tiny/evaluate/{RUN}/main/grades.parquet")


def test_latex_compiles_every_table(finished: Checkout, tmp_path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed: the LaTeX tables are not compiled")
    tables = sorted(paper(finished, "tables").glob("*.tex"))
    assert {path.stem for path in tables} == set(TABLES)
    inputs = "\n".join(f"\\input{{{path}}}\n\\clearpage" for path in tables)
    numbers = paper(finished, "numbers.tex")
    document = (
        "\\documentclass{article}\\usepackage{booktabs}\\usepackage{xcolor}\\usepackage{graphicx}"
        f"\\input{{{numbers}}}\\begin{{document}}{inputs}\\end{{document}}"
    )
    (tmp_path / "tables.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / "tables.pdf").is_file()
