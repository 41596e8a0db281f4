"""The environments of the stages and the lock name the same versions, and have what their stages import."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from rlvr.core.preflight import ON_GPU_ONLY, imported_packages

ROOT = Path(__file__).resolve().parents[2]


def pins(lines: list[str]) -> dict[str, str]:
    split = (line.split("==") for line in lines if "==" in line)
    return {name.partition("[")[0].lower(): version.strip() for name, version in split}


LOCK = pins((ROOT / "requirements.lock").read_text().splitlines())


@pytest.mark.parametrize("name", ["analysis", "train"])
def test_environment_agrees_with_the_lock(name: str) -> None:
    content = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())
    packages = pins(content["dependencies"][-1]["pip"])
    assert packages
    assert packages == {package: LOCK[package] for package in packages}


def test_gpu_environment_differs_only_where_vllm_asks() -> None:
    content = yaml.safe_load((ROOT / "envs/train-gpu.yaml").read_text())
    packages = pins(content["dependencies"][-1]["pip"])
    differing = {package for package, version in packages.items() if LOCK.get(package) != version}
    assert differing == {"vllm", "transformers", "numpy"}


def test_the_lock_pins_everything_exactly() -> None:
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        assert line.count("==") == 1, line
        assert "+" not in line, f"{line}: a local version cannot be installed elsewhere"
    assert LOCK["torch"] == "2.13.0"


@pytest.mark.parametrize(("lock", "declared"), [("train", LOCK), ("train-gpu", None)])
def test_the_locks_of_the_cluster_pin_what_is_declared_by_hash(lock: str, declared: dict[str, str] | None) -> None:
    lines = (ROOT / "envs" / f"{lock}.lock").read_text().splitlines()
    packages = pins([line.rstrip(" \\") for line in lines if not line.startswith((" ", "#"))])
    if declared is None:
        content = yaml.safe_load((ROOT / "envs" / f"{lock}.yaml").read_text())
        declared = pins(content["dependencies"][-1]["pip"])
    plain = {name.replace("_", "-").replace(".", "-"): version for name, version in declared.items()}
    assert plain == {name: packages[name] for name in plain}
    entries = [index for index, line in enumerate(lines) if line and not line.startswith((" ", "#"))]
    assert all(lines[index + 1].startswith("    --hash=sha256:") for index in entries)


@pytest.mark.parametrize(("module", "environment"), [("train", ".venv"), ("train-gpu", ".venv-gpu")])
def test_a_module_leads_to_what_the_make_target_makes(module: str, environment: str) -> None:
    text = (ROOT / "envs" / "modules" / "rlvr" / module).read_text()
    assert text.startswith("#%Module")
    assert f"prepend-path PATH $root/{environment}/bin" in text
    assert f"{environment}/.cluster" in (ROOT / "Makefile").read_text()


ENVIRONMENTS = ("analysis", "train", "train-gpu")
LINUX = {
    "os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64",
    "implementation_name": "cpython", "platform_python_implementation": "CPython", "python_version": "3.11",
    "python_full_version": "3.11.9", "extra": "",
}  # fmt: skip
ENVIRONMENT_OF = {  # what a rule file writes behind `conda:`
    '"../../envs/analysis.yaml"': ["analysis"],
    '"../../envs/train.yaml"': ["train"],
    "environment_file(SUBMITTING)": ["analysis"],
    "environment_file(TRAINING)": ["train"],
    "environment_file(training_name())": ["train", "train-gpu"],
}


def locked(name: str) -> dict[str, Version]:
    """Version of every package of a lock of the cluster."""
    lines = (ROOT / "envs" / f"{name}.lock").read_text().splitlines()
    pinned = pins([line.rstrip(" \\") for line in lines if not line.startswith((" ", "#"))])
    return {canonicalize_name(name): Version(text.partition(";")[0].strip()) for name, text in pinned.items()}


def scripts_by_environment() -> dict[str, set[Path]]:
    """Adapters and command lines of the rules that run in an environment, read off the rule files."""
    found: dict[str, set[Path]] = {name: set() for name in ENVIRONMENTS}
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"^rule ", file.read_text(), flags=re.MULTILINE)[1:]:
            conda = re.search(r"conda:\n\s+(.+)\n", rule)
            script = re.search(r'script:\n\s+"../scripts/(\w+).py"', rule)
            trains = " -m rlvr.train " in rule
            if conda and (script or trains):
                path = f"scripts/{script[1]}.py" if script else "lib/rlvr/train/__main__.py"
                for name in ENVIRONMENT_OF[conda[1]]:
                    found[name].add(ROOT / "workflow" / path)
    return found


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_conda_environment_is_one_that_conda_reads(name: str) -> None:
    """Its keys, its Python among those that the project runs on, every package once and exactly."""
    content = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())
    assert content.keys() == {"name", "channels", "dependencies"} and content["name"] == f"rlvr-{name}"
    assert content["channels"] and set(content["channels"]) <= {"conda-forge", "nodefaults"}
    python, pip, packages = content["dependencies"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert python.startswith("python=") and SpecifierSet(project["requires-python"]).contains(f"{python[7:]}.9")
    assert pip == "pip" and packages.keys() == {"pip"}
    requirements = [Requirement(line) for line in packages["pip"]]
    names = [canonicalize_name(each.name) for each in requirements]
    assert len(set(names)) == len(names)
    assert all([one.operator for one in each.specifier] == ["=="] for each in requirements)


def brought_by(packages: set[str]) -> set[str]:
    """These packages and what they ask for, as far as they are installed here."""
    found, waiting = set(), set(packages)
    while waiting:
        found.add(package := waiting.pop())
        try:
            asked = map(Requirement, metadata.requires(package) or ())
        except metadata.PackageNotFoundError:
            continue
        wanted = {canonicalize_name(each.name) for each in asked if each.marker is None or each.marker.evaluate(LINUX)}
        waiting |= wanted - found
    return found


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_has_what_its_stages_import(name: str) -> None:
    """By the distributions that have a package of that name here; vLLM is in no environment of a test."""
    scripts = scripts_by_environment()[name]
    assert len(scripts) > 1
    wanted = imported_packages(scripts) - ON_GPU_ONLY
    assert "pandas" in wanted
    here = metadata.packages_distributions()
    content = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())
    has = brought_by({canonicalize_name(package) for package in pins(content["dependencies"][-1]["pip"])})
    lacking = {package for package in wanted if not has & {canonicalize_name(each) for each in here[package]}}
    assert lacking == set()
    assert name != "analysis" or "typer" in has, "the command `rlvr`, which rules call, needs it"


@pytest.mark.parametrize(("name", "least"), [("train", 60), ("train-gpu", 50)])
def test_a_lock_has_what_its_packages_ask_for(name: str, least: int) -> None:
    """Without a solver: the metadata of every package that is installed here in the locked version."""
    packages, looked_at = locked(name), 0
    for package in metadata.distributions():
        own = canonicalize_name(package.metadata["Name"])
        if own not in packages or Version(Version(package.version).public) != packages[own]:
            continue
        looked_at += 1
        for requirement in map(Requirement, package.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate(LINUX):
                needed = canonicalize_name(requirement.name)
                assert needed in packages, f"{own} needs {requirement}"
                assert requirement.specifier.contains(packages[needed], prereleases=True), f"{own} needs {requirement}"
    assert looked_at >= least


def test_the_image_of_the_gpu_stages_is_built_from_the_lock() -> None:
    text = (ROOT / "envs" / "train-gpu.def").read_text()
    header, *sections = re.split(r"^%", text, flags=re.MULTILINE)
    fields = dict(line.split(": ", 1) for line in header.splitlines() if line and not line.startswith("#"))
    assert fields["Bootstrap"] == "docker"
    content = yaml.safe_load((ROOT / "envs" / "train-gpu.yaml").read_text())
    assert fields["From"].startswith(f"python:{content['dependencies'][0].removeprefix('python=')}-")
    parts = {part.partition("\n")[0].strip(): part.partition("\n")[2] for part in sections}
    assert parts.keys() <= {"files", "post", "environment", "runscript", "labels", "help"}
    source, target = parts["files"].split()
    assert (ROOT / source).is_file()
    assert f"--require-hashes --no-deps -r {target}" in parts["post"]
    assert " gcc " in parts["post"], "Triton compiles at run time"
