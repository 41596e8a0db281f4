"""The Makefile refuses early what would fail late, and cleans up what the workflow leaves."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "VENV"))}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=env, timeout=60)


def test_a_blank_in_the_way_to_python_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    done = make(tmp_path / "my project", "demo")
    assert done.returncode != 0
    assert "a blank in the way" in done.stdout and "VENV=/a/folder" in done.stdout
    assert not (tmp_path / "my project/.venv").exists()


def test_an_environment_elsewhere_is_taken_whatever_the_project_is_called(tmp_path: Path) -> None:
    ready = tmp_path / "environment"
    (ready / "bin").mkdir(parents=True)
    (ready / "bin/snakemake").write_text("#!/bin/sh\necho planned\n")
    (ready / "bin/snakemake").chmod(0o755)
    folder = tmp_path / "my project"
    make(folder, "-n", "demo")
    (ready / ".ready").touch()
    done = make(folder, "demo", f"VENV={ready}", "-o", "requirements.lock")
    assert done.returncode == 0 and done.stdout.startswith("planned"), done.stdout + done.stderr


def test_clean_removes_all_that_is_generated_but_the_environment(tmp_path: Path) -> None:
    for name in ("results", ".snakemake", ".cache", ".venv"):
        (tmp_path / name).mkdir()
    assert make(tmp_path, "clean").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {".venv", "Makefile", "requirements.lock"}


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    """A project whose Snakemake begins a job and fails three seconds later, with status 3."""
    (tmp_path / "environment/bin").mkdir(parents=True)
    (tmp_path / "environment/.ready").touch()
    (tmp_path / "environment/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/lib").symlink_to(ROOT / "workflow/lib")
    jobs = "Job stats:|job  count|---  ---|write_spec  2|total  2||localrule write_spec:|    output: results/tiny/a|"
    log = ".snakemake/log/a.snakemake.log"
    begin = f"mkdir -p .snakemake/log\nfor i in 1 2 3; do sleep 1; echo '{jobs}' | tr '|' '\\n' > {log}; done"
    (tmp_path / "environment/bin/snakemake").write_text(f"#!/bin/sh\n{begin}\nexit 3\n")
    for name in ("python", "snakemake"):
        (tmp_path / "environment/bin" / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("target", ["demo", "pocket"])
def test_lines_about_stages_end_with_snakemake_and_keep_its_status(watched: Path, target: str) -> None:
    arguments = [f"VENV={watched}/environment", "-o", "requirements.lock", "WATCH_EVERY=0.2"]
    began = time.monotonic()
    done = make(watched, target, *arguments)  # reads until every process has closed its output
    assert time.monotonic() - began < 30
    assert done.returncode != 0 and "Error 3" in done.stderr and "PDF" not in done.stdout
    assert target == "pocket" or "tiny: train 0/2  all 0/2  time left unknown" in done.stderr


def test_lines_about_stages_end_with_ctrl_c(watched: Path) -> None:
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, watched / name)
    command = ["make", "demo", f"VENV={watched}/environment", "-o", "requirements.lock"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=watched, start_new_session=True, **pipes) as process:
        time.sleep(1.5)
        os.killpg(process.pid, signal.SIGINT)  # what a terminal sends to all of them
        process.communicate(timeout=30)
        assert process.returncode != 0
