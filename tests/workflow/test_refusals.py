"""What a retry is for: a job that was killed is started again, one that would fail again is not."""

import os
from pathlib import Path

import pandas as pd
from conftest import Checkout

from rlvr.core.errors import InputError
from rlvr.core.locks import Busy
from rlvr.core.refusals import STATUS, forget, forget_all, is_lasting, is_refused, note
from rlvr.plan.configuration import with_config
from rlvr.train.manifest import InvalidRun

RUN = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"
MANIFEST = f"results/tiny/train/{RUN}/run.json"
PROFILE = """cores: 2
retries: 2
keep-going: true
rerun-triggers: [mtime, params, input]
"""
RULES = "workflow/rules/2_train.smk"
TRAINS = '"{params.launcher} -m rlvr.train'


def attempt(checkout: Checkout, profile: Path) -> str:
    """Output of a driver that has two retries and cannot reach the end."""
    done = checkout.snakemake(MANIFEST, "--profile", str(profile), "--config", "warm_jobs=False")
    assert done.returncode != 0, done.stdout
    return done.stdout


def test_what_was_killed_is_tried_again_and_what_is_wrong_is_not(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(PROFILE)
    checkout.edit_scale(
        **{"datasets__deepmath-hard__eval_problems": 4, "datasets__deepmath-hard__max_train_problems": 8}
    )
    checkout.edit(RULES, TRAINS, TRAINS.replace('"', '"kill -9 $$; ', 1))
    assert attempt(checkout, tmp_path).count("Trying to restart") == 2
    checkout.edit(RULES, "kill -9 $$; ", "")
    problems = checkout.root / "results/tiny/data/deepmath-hard/train.parquet"
    made = problems.stat().st_mtime
    pd.read_parquet(problems).head(4).to_parquet(problems, index=False)  # of the scale's 8, which the plan goes by
    os.utime(problems, (made, made))
    out = attempt(checkout, tmp_path)
    assert "has 4 problems, a step needs 8" in out and f"non-zero exit status {STATUS}" in out
    assert "Trying to restart" not in out
    marker = checkout.root / f"results/tiny/logs/train_run/{RUN}.log.refused"
    assert marker.read_text().startswith("InputError: ")


def test_which_errors_would_come_again(tmp_path: Path) -> None:
    lasting = InputError("x", "is wrong.", "Mend it."), ModuleNotFoundError("vllm"), InvalidRun("nothing was learned")
    passing = Busy("x", "is being written.", "Wait."), OSError(28, "no space"), RuntimeError("CUDA"), MemoryError()
    assert all(map(is_lasting, lasting)) and not any(map(is_lasting, passing))
    log = tmp_path / "logs" / "rule" / "run.log"
    note(log, lasting[0])
    assert is_refused(["other.log", log]) and not is_refused(["other.log"])
    forget(log)
    assert not is_refused([log])
    note(log, lasting[1])
    forget_all(tmp_path / "logs")
    assert not is_refused([log]) and STATUS == os.EX_DATAERR


def test_a_command_line_gets_one_more_setting() -> None:
    assert with_config(["all", "-n"], "tier=finished") == ["all", "-n", "--config", "tier=finished"]
    given = ["--profile", "slurm", "--config", "scale=tiny", "tier=full", "--jobs", "4"]
    assert with_config(given, "tier=finished") == [
        *("--profile", "slurm", "--config", "tier=finished", "scale=tiny", "--jobs", "4")
    ]
