"""Dry runs of tests are forks of a process that has imported Snakemake: they print and end as a fresh process does."""

import os
import subprocess
import sys

import pytest
from conftest import Checkout, Unedited
from dry_runs import plan


@pytest.mark.parametrize("arguments", [["--list"], ["-n", "--config", "scal=tiny"], ["-n", "no-such-target"]])
def test_a_fork_prints_and_ends_as_a_fresh_process(unedited: Unedited, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "snakemake", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    fresh = subprocess.run(command, cwd=unedited.root, text=True, check=False, **pipes)
    status, printed = plan(unedited.root, arguments, dict(os.environ))
    assert status == fresh.returncode
    assert sorted(printed.splitlines()) == sorted(fresh.stdout.splitlines()) != []


def test_a_fork_has_the_code_and_the_variables_of_its_call(checkout: Checkout) -> None:
    path = checkout.root / "workflow/lib/rlvr/plan/grid.py"
    path.write_text(path.read_text() + "\nimport os\nprint('edited', os.environ.get('OF_THIS_CALL'))\n")
    assert "edited here" in plan(checkout.root, ["--list"], {**os.environ, "OF_THIS_CALL": "here"})[1]
    assert "edited None" in checkout.run("--list")
