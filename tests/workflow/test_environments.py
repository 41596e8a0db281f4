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
