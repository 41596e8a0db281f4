"""Logs of failed attempts are kept, by a real Snakemake."""

import os
import subprocess
import sys
from pathlib import Path

from rlvr.core.former_logs import KEPT, former_names, keep_former

LIBRARY = Path(__file__).resolve().parents[2] / "workflow" / "lib"
RULES = """
import sys
sys.path.insert(0, {library!r})
from snakemake.jobs import Job
from rlvr.core.former_logs import keep_failed_logs
keep_failed_logs(Job)
rule made:
    output: "out"
    log: "logs/made.log"
    resources: tries=lambda wildcards, attempt: attempt
    shell: "echo attempt {{resources.tries}} > {{log}}; test {{resources.tries}} = 3; touch {{output}}"
"""


def run(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--retries", "2", *arguments]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def logs(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "logs").iterdir()}


def test_a_retried_job_keeps_the_logs_of_its_failures_and_a_new_one_begins_without_them(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(RULES.format(library=str(LIBRARY)))
    run(tmp_path)
    kept = {"made.log": "attempt 3\n", "made.log.1": "attempt 2\n", "made.log.2": "attempt 1\n"}
    assert logs(tmp_path) == kept
    run(tmp_path)  # nothing to do
    assert logs(tmp_path) == kept
    (tmp_path / "Snakefile").write_text(RULES.format(library=str(LIBRARY)).replace("= 3", "= 1"))
    run(tmp_path, "--forcerun", "made")
    assert logs(tmp_path) == {"made.log": "attempt 1\n"}


def test_the_oldest_goes_where_there_are_too_many_and_an_empty_one_is_not_kept(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    for number in range(KEPT + 3):
        log.write_text(str(number))
        keep_former(log)
    assert [path.read_text() for path in former_names(log)] == [str(KEPT + 2 - each) for each in range(KEPT)]
    log.write_text("")
    keep_former(log)
    assert Path(f"{log}.1").read_text() == str(KEPT + 2)
