"""The environments of the stages and the lock name the same versions."""

from pathlib import Path

import pytest
import yaml

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
