"""The whole workflow on a small grid, for real, and what an edit afterwards reruns."""

import json
import os
import re
import shutil
import subprocess

import pandas as pd
import pytest
from conftest import Checkout

RUN = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"
TABLES = ("table1", "table4", "table5", "table10", "table11", "table13", "table16", "tableS1")
FIGURES = tuple(f"figure{name}" for name in ("1", "2", "3", "4", "5", "6", "S1", "S2", "S3"))


def results(checkout: Checkout, *parts: str):
    return checkout.root.joinpath("results", "tiny", *parts)


def paper(checkout: Checkout, *parts: str):
    return results(checkout, "paper", "structure-over-scale", *parts)


def nothing_to_do(checkout: Checkout, *arguments: str) -> bool:
    return "Nothing to be done" in checkout.run("-n", *arguments)


def test_every_output_is_there(finished: Checkout) -> None:
    for table in TABLES:
        for suffix in ("tex", "csv", "md"):
            assert paper(finished, "tables", f"{table}.{suffix}").stat().st_size > 0
    for figure in FIGURES:
        assert paper(finished, "figures", f"{figure}.pdf").read_bytes().startswith(b"%PDF")
        assert paper(finished, "figures", f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert paper(finished, "paper.pdf").read_bytes().startswith(b"%PDF")
    assert "\\newcommand" in paper(finished, "numbers.tex").read_text()


def test_the_report_is_self_contained(finished: Checkout) -> None:
    report = paper(finished, "report.html").read_text()
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


def test_a_deleted_table_trains_nothing(copied: Checkout) -> None:
    table = paper(copied, "tables", "table4.tex")
    table.unlink()
    assert set(copied.plan("table4")) <= {"tabulate_output", "table4"}
    copied.run("table4")
    assert table.is_file()


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


def test_a_changed_row_trains_that_run_and_updates_its_dependents(copied: Checkout) -> None:
    rows = copied.read_grid()
    copied.write_grid([{**row, "alpha": "24"} if row["run_id"] == RUN else row for row in rows])
    plan = copied.plan()
    assert plan["train_run"] == 1
    assert plan["generate_samples"] == 1
    assert plan["measure_run"] == 1
    assert plan["compile_paper"] == 1
    copied.run("table4")
    manifest = json.loads(results(copied, "train", RUN, "run.json").read_text())
    assert manifest["settings"]["alpha"] == 3.0


def test_an_added_row_adds_one_training_job(copied: Checkout) -> None:
    rows = copied.read_grid()
    added = {**rows[0], "run_id": RUN.replace("s42", "s7"), "seed": "7"}
    copied.write_grid([*rows, added])
    plan = copied.plan()
    assert plan["train_run"] == 1
    assert plan["generate_samples"] == 1


def test_latex_compiles_every_table(finished: Checkout, tmp_path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed: the LaTeX tables are not compiled")
    tables = sorted(paper(finished, "tables").glob("*.tex"))
    assert {path.stem for path in tables} == set(TABLES)
    inputs = "\n".join(f"\\input{{{path}}}\n\\clearpage" for path in tables)
    numbers = paper(finished, "numbers.tex")
    document = (
        "\\documentclass{article}\\usepackage{booktabs}\\usepackage{graphicx}"
        f"\\input{{{numbers}}}\\begin{{document}}{inputs}\\end{{document}}"
    )
    (tmp_path / "tables.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / "tables.pdf").is_file()
