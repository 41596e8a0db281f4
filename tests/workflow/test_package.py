"""The package as pip installs it: what is in the wheel, and the grader in an environment without torch."""

import json
import signal
import subprocess
import sys
import sysconfig
import time
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from train_inputs import write_inputs

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


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `rlvr` of the installed wheel, in an environment that sees the libraries of this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    (place,) = folder.glob("lib/python*/site-packages")
    (place / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True)
    return folder / "bin" / "rlvr"


def train_in(folder: Path, rlvr: Path, *further: str) -> "subprocess.Popen[str]":
    """`rlvr train` on the files of a folder, begun; in a session of its own, as a terminal would run it."""
    places = ("--base", "base/", "--problems", "train.parquet", "--out", "runs/mine")
    return subprocess.Popen(
        [rlvr, "train", "spec.json", *places, *further], cwd=folder, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def end_behind_a_checkpoint(training: "subprocess.Popen[str]", folder: Path, how: int) -> None:
    """Send a signal once a checkpoint lies in the run's folder."""
    until = time.monotonic() + 300
    while not list((folder / "runs/mine/checkpoints").glob("*")) and training.poll() is None:
        assert time.monotonic() < until, "no checkpoint within five minutes"
        time.sleep(0.05)
    training.send_signal(how)


@pytest.mark.nightly
def test_the_installed_command_trains_once_and_goes_on_after_signals_and_kills(installed: Path, tmp_path: Path) -> None:
    """An interrupted run ends with the weights of one that nobody disturbed; wrong input has no traceback."""
    for name in ("whole", "cut"):
        write_inputs(tmp_path / name, max_steps=40)
    whole = train_in(tmp_path / "whole", installed, "--json")
    shown, said = whole.communicate(timeout=600)
    assert whole.returncode == 0, said
    assert json.loads(shown)["steps"] == 40
    again = train_in(tmp_path / "whole", installed, "--json")
    assert (again.communicate(timeout=600)[0], again.returncode) == (shown, 0)

    ends = []
    for how in (signal.SIGTERM, signal.SIGKILL):
        training = train_in(tmp_path / "cut", installed)
        end_behind_a_checkpoint(training, tmp_path / "cut", how)
        training.communicate(timeout=600)
        ends.append(training.returncode)
    assert ends == [75, -signal.SIGKILL]
    resumed = train_in(tmp_path / "cut", installed)
    resumed.communicate(timeout=600)
    assert resumed.returncode == 0
    manifests = [json.loads((tmp_path / name / "runs/mine/run.json").read_text()) for name in ("whole", "cut")]
    assert manifests[1]["resumed_from_step"] >= 1
    assert manifests[0]["sha256"] == manifests[1]["sha256"]

    (tmp_path / "cut" / "spec.json").write_text('{"seed": 1}')
    refused = train_in(tmp_path / "cut", installed)
    _, said = refused.communicate(timeout=600)
    assert refused.returncode == 1
    assert said.splitlines()[-1].startswith("error: spec.json: key ")
    assert "Traceback" not in said
