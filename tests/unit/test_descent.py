"""A call makes what is missing although a job runs above it that only ancient inputs connect with it."""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.core.descent import driven
from rlvr.core.provenance import LIBRARY

MEND = """
import sys
sys.path.insert(0, {library!r})
from snakemake.dag import DAG
from rlvr.core.descent import look_below_ancient
look_below_ancient(DAG)
look_below_ancient(DAG)
"""
RULES = """
rule all:
    input: "run", expand("table{n}", n=range(config.get("tables", 1)))
rule base:
    output: "base"
    params: steps=config.get("steps", 1)
    shell: "echo {params.steps} > {output}"
rule run:
    input: ancient("base")
    output: "run"
    shell: "cp {input} {output}"
rule table:
    input: "run"
    output: "table{n}"
    shell: "cp {input} {output}"
"""


def called(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "host", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr + done.stdout


@pytest.mark.parametrize("mended", [True, False])
def test_a_job_that_runs_for_its_parameters_hides_no_missing_target(mended: bool, tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text((MEND.format(library=str(LIBRARY)) if mended else "") + RULES)
    called(tmp_path)
    run = tmp_path / "run"
    before = run.stat().st_mtime_ns
    called(tmp_path, "--config", "steps=2", "tables=3")
    assert (tmp_path / "base").read_text() == "2\n" and run.stat().st_mtime_ns == before
    # Without the mend Snakemake stops behind the base; where this fails, it has learnt better and the mend can go.
    assert (tmp_path / "table2").is_file() == mended
    assert "Nothing to be done" in called(tmp_path, "--config", "steps=2", f"tables={3 if mended else 1}")


ARROWS = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7), st.booleans()).filter(lambda a: a[0] < a[1]))


@given(ARROWS, st.integers(0, 7))
def test_what_runs_is_what_some_way_of_other_inputs_reaches(arrows: set[tuple[int, int, bool]], start: int) -> None:
    depending: dict[int, dict[int, set[SimpleNamespace]]] = defaultdict(lambda: defaultdict(set))

    class File(SimpleNamespace):
        __hash__ = object.__hash__  # type: ignore[assignment]

    for above, below, is_ancient in arrows:
        depending[above][below].add(File(is_ancient=is_ancient))
    reached, grown = {start}, True
    while grown:
        more = {below for above, below, is_ancient in arrows if above in reached and not is_ancient}
        grown, reached = not more <= reached, reached | more
    found = list(driven(depending, (start,)))
    assert set(found) == reached and len(found) == len(reached)
