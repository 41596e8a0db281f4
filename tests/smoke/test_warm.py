"""Jobs as forks of a loaded process, in the whole workflow: their results are those of fresh processes."""

import json
import shutil

import pandas as pd
import pytest
from conftest import Checkout

RUN = "qwen3-8b_deepmath-hard_quanta-d3-no-kv_bs64_s42"
OF_THE_PROCESS = ("wall_time_s", "peak_memory_gib", "repository")


def results(checkout: Checkout, *parts: str):
    return checkout.root.joinpath("results", "tiny", *parts)


@pytest.mark.nightly  # a run, its samples and spectra in fresh processes; tests/unit/test_warm.py has what a fork sees
def test_forked_and_fresh_jobs_give_the_same_bits(finished: Checkout, copied: Checkout) -> None:
    for folder in (("train", RUN), ("evaluate", RUN)):
        shutil.rmtree(results(copied, *folder))
    targets = [f"results/tiny/evaluate/{RUN}/main/scores.parquet", f"results/tiny/spectra/{RUN}.parquet"]
    assert "forks" not in copied.run(*targets, "--config", "warm_jobs=False")
    weights = [results(each, "train", RUN, "adapter", "adapter_model.safetensors") for each in (finished, copied)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    for name in ("samples", "grades", "scores"):
        tables = [
            pd.read_parquet(results(each, "evaluate", RUN, "main", f"{name}.parquet")) for each in (finished, copied)
        ]
        pd.testing.assert_frame_equal(*tables)
    manifests = [json.loads(results(each, "train", RUN, "run.json").read_text()) for each in (finished, copied)]
    kept = [{key: value for key, value in each.items() if key not in OF_THE_PROCESS} for each in manifests]
    assert kept[0] == kept[1] and kept[0]["sha256"]
    spectra = [pd.read_parquet(results(each, "spectra", f"{RUN}.parquet")) for each in (finished, copied)]
    pd.testing.assert_frame_equal(*spectra)


def test_the_log_of_a_forked_job_holds_what_it_prints(finished: Checkout) -> None:
    logs = "".join(path.read_text() for path in finished.root.glob(".snakemake/log/*.log"))
    assert "Jobs are forks of one loaded process." in logs
    log = results(finished, "logs", "train_run", f"{RUN}.log").read_text()
    assert RUN in log and "2 steps of" in log
