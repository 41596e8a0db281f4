"""How several processes of a run are started."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "envs" / "accelerate" / "ddp.yaml"
SHOW = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if 'FSDP' in k or k == 'WORLD_SIZE'}))"


def start(home: Path, *named: str) -> list[dict[str, str]]:
    script = home / "show.py"
    script.write_text(SHOW)
    command = [sys.executable, "-m", "accelerate.commands.launch", *named, "--num_processes", "2", "--cpu", str(script)]
    env = {**os.environ, "HF_HOME": str(home), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_the_user_s_own_configuration_of_accelerate_decides_nothing(tmp_path: Path) -> None:
    own = tmp_path / "accelerate" / "default_config.yaml"
    own.parent.mkdir()
    content = {**yaml.safe_load(CONFIG.read_text()), "distributed_type": "FSDP", "fsdp_config": {"fsdp_version": 2}}
    own.write_text(yaml.safe_dump(content))
    assert any("ACCELERATE_USE_FSDP" in shown for shown in start(tmp_path)), "the trap is not set"
    assert not any("ACCELERATE_USE_FSDP" in shown for shown in start(tmp_path, "--config_file", str(CONFIG)))


def test_the_rule_names_the_configuration_of_the_project() -> None:
    text = (ROOT / "workflow" / "rules" / "_inputs.smk").read_text()
    assert "accelerate launch --config_file {ROOT}/envs/accelerate/ddp.yaml --num_processes {devices}" in text
