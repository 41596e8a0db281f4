"""The workflow as a module of another one, which lies in a folder of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import dry_runs
import pandas as pd
from conftest import Unedited

SNAKEFILE = """
configfile: "config.yaml"


module rlvr:
    snakefile: "{root}/Snakefile"
    config: config


use rule * from rlvr as rlvr_*


rule count_problems:
    input: "results/tiny/data/math/train.parquet"
    output: "count.txt"
    shell: "python -c 'import pandas, sys; print(len(pandas.read_parquet(sys.argv[1])))' {{input}} > {{output}}"
"""


def test_rules_of_another_workflow_build_on_ours(unedited: Unedited, tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(root=unedited.root))
    (tmp_path / "config.yaml").write_bytes((unedited.root / "config.yaml").read_bytes())
    status, printed = dry_runs.plan(tmp_path, ["-n", "rlvr_all"], dict(os.environ))
    assert status == 0, printed
    planned = dict(re.findall(r"^(\w+)\s+(\d+)$", printed, flags=re.MULTILINE))
    expected = unedited.plan()
    assert planned["rlvr_train_run"] == str(expected["train_run"]) and "rlvr_compile_paper" in planned
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "count.txt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = pd.read_parquet(tmp_path / "results/tiny/data/math/train.parquet")
    assert int((tmp_path / "count.txt").read_text()) == len(made) > 0
