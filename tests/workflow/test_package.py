"""The package as pip installs it: what is in the wheel, and the grader in an environment without torch."""

import json
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_shared_files_of_the_wheel_are_there_and_their_paths_are_those_of_the_repository() -> None:
    included = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    for source, target in included["force-include"].items():
        assert (ROOT / source).exists(), source
        assert target == f"rlvr/share/{source}"


def test_the_grading_extra_names_nothing_heavy() -> None:
    named = " ".join([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["grading"]])
    assert not [name for name in ("torch", "transformers", "peft", "trl", "pandas", "matplotlib") if name in named]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "hatchling" in done.stderr:
        pytest.skip(f"no package index for the build backend: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.nightly
def test_the_wheel_holds_the_library_and_what_its_commands_read(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"rlvr/cli/app.py", "rlvr/share/workflow/studies/structure-over-scale/statements.csv"} <= names
    library = ROOT / "workflow" / "lib"
    assert {path.relative_to(library).as_posix() for path in library.rglob("*.py")} <= names
    assert not [name for name in names if name.endswith(".pyc") or "data/bases" in name]


@pytest.mark.nightly
def test_a_fresh_environment_with_the_grading_extra_grades_and_has_no_torch(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / "bin"
    subprocess.run([binaries / "pip", "install", "--quiet", f"{wheel}[grading]"], check=True)
    row = json.dumps({"completion": r"\boxed{\frac{1}{\sqrt{2}}}", "gold": r"\frac{\sqrt 2}{2}"})
    graded = subprocess.run(
        [binaries / "rlvr", "grade", "-", "--json"], input=row, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert json.loads(graded.stdout)["verdict"] == "correct"
    heavy = subprocess.run([binaries / "python", "-c", "import torch"], capture_output=True, text=True)
    assert "No module named 'torch'" in heavy.stderr
    for command, extra in (("audit", "audit"), ("spectra a b", "spectra")):
        refused = subprocess.run([binaries / "rlvr", *command.split()], capture_output=True, text=True, cwd=tmp_path)
        assert refused.returncode == 1
        assert f"pip install 'rlvr[{extra}]'" in refused.stderr
    subprocess.run([binaries / "pip", "install", "--quiet", f"{wheel}[audit]"], check=True)
    audited = subprocess.run(
        [binaries / "rlvr", "audit", "--json"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert len({record["study"] for record in json.loads(audited.stdout)}) >= 4
