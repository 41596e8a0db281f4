"""A run that fails for good costs its cells, and not the PDF."""

import shutil

import pytest
from conftest import Checkout

FAILS = "qwen3-8b_deepmath-hard_quanta-d3-no-kv_bs64_s42"
TRAINS = '"{params.launcher} -m rlvr.train'
DIES = TRAINS.replace('"', '"case {wildcards.run_id} in *quanta-d3-no-kv_bs64_s42) kill -9 $$;; esac; ', 1)


@pytest.mark.long
def test_the_paper_is_made_of_the_runs_that_are_finished(copied: Checkout) -> None:
    results = copied.root / "results" / "tiny"
    study = results / "paper" / "structure-over-scale"
    for folder in (study, results / "train" / FAILS, results / "evaluate" / FAILS):  # nothing of the run, no paper yet
        shutil.rmtree(folder)
    copied.edit("workflow/rules/2_train.smk", TRAINS, DIES)
    done = copied.snakemake("paper", "--keep-going", "--config", "without_failed=True")
    assert done.returncode != 0, "a run failed, and so did the call"
    assert f"not finished: {FAILS}" in done.stdout
    assert (study / "paper.pdf").is_file(), done.stdout[-4000:]
    assert (study / "paper.pdf").read_bytes().startswith(b"%PDF")
    hours = (study / "tables" / "table12.md").read_text()
    assert "| failed" in hours and f"failed: {FAILS} (log: results/tiny/logs/train_run/{FAILS}.log)." in hours


# Which job fails for which run, behind a training that was finished.
SCRIPTS = {
    "generate_samples": "qwen3-8b_deepmath-hard_lora-r8_bs64_s42",
    "grade_samples": "qwen3-8b_deepmath-hard_quanta-d3-no-kv_bs64_s42",
    "measure_run": "qwen3-8b_deepmath-hard_lora-r256_bs64_s42",
}


@pytest.mark.nightly  # the whole paper twice; that a run is missing is tested above, and one that fails later is alike
def test_samples_grades_and_spectra_that_fail_cost_their_cells(copied: Checkout) -> None:
    """The next call, with what failed mended, makes what was missing and nothing else."""
    results = copied.root / "results" / "tiny"
    study = results / "paper" / "structure-over-scale"
    shutil.rmtree(study)
    shutil.rmtree(results / "evaluate" / SCRIPTS["generate_samples"])
    logged = "log_to(snakemake.log[0])\n"
    for rule, run_id in SCRIPTS.items():
        fails = f"    if snakemake.wildcards.run_id == '{run_id}':\n        raise OSError('a fault of the node')\n"
        copied.edit(f"workflow/scripts/{rule}.py", logged, logged + fails)
    done = copied.snakemake("all", "--keep-going", "--config", "without_failed=True")
    assert done.returncode != 0, "a job failed, and so did the call"
    assert (study / "paper.pdf").is_file(), done.stdout[-4000:]
    assert (results / "paper" / "report.html").is_file() and (study / "seal.json").is_file()
    notes = "\n".join(path.read_text() for path in (study / "tables").glob("*.md"))
    for rule, run_id in SCRIPTS.items():
        logs = [path.relative_to(copied.root) for path in (results / "logs" / rule).glob(f"{run_id}*.log")]
        assert logs and all(f"failed: {log}" in done.stdout for log in logs)
        assert any(f"failed: {run_id} (log: {log})." in notes for log in logs)
        assert all("a fault of the node" in (copied.root / log).read_text() for log in logs)
    for rule in SCRIPTS:
        copied.edit(f"workflow/scripts/{rule}.py", "raise OSError('a fault of the node')", "pass")
    plan = copied.plan("all")
    assert plan["generate_samples"] == 1 and "train_run" not in plan
    copied.run("all")
    assert "| failed" not in "\n".join(path.read_text() for path in (study / "tables").glob("*.md"))
