"""A run that fails for good costs its cells, and not the PDF."""

import shutil

from conftest import Checkout

FAILS = "qwen3-8b_deepmath-hard_quanta-d3-no-kv_bs64_s42"
TRAINS = '"{params.launcher} -m rlvr.train'
DIES = TRAINS.replace('"', '"case {wildcards.run_id} in *quanta-d3-no-kv_bs64_s42) kill -9 $$;; esac; ', 1)


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
