"""The Makefile refuses early what would fail late, and cleans up what the workflow leaves."""

import os
import shutil
import subprocess
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
