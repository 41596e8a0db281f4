"""How several processes of a run are started."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "envs" / "accelerate" / "ddp.yaml"
READ = """
import sys
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
args, _, _ = _validate_launch_command(launch_command_parser().parse_args(sys.argv[1:]))
print("sharded" if args.use_fsdp else "whole", args.num_processes)
"""


def understood(home: Path, *named: str) -> str:
    """How accelerate understands a command line, with its configuration looked for below `home`."""
    command = [sys.executable, "-c", READ, *named, "--num_processes", "2", "train.py"]
    env = {**os.environ, "HF_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=True).stdout.splitlines()[-1]


def test_the_users_own_configuration_of_accelerate_decides_nothing(tmp_path: Path) -> None:
    own = tmp_path / "accelerate" / "default_config.yaml"
    own.parent.mkdir()
    content = {**yaml.safe_load(CONFIG.read_text()), "distributed_type": "FSDP", "fsdp_config": {"fsdp_version": 2}}
    own.write_text(yaml.safe_dump(content))
    assert understood(tmp_path) == "sharded 2", "the user's configuration is not read: this test says nothing"
    assert understood(tmp_path, "--config_file", str(CONFIG)) == "whole 2"


def test_the_rule_names_the_configuration_of_the_project() -> None:
    text = (ROOT / "workflow" / "rules" / "_inputs.smk").read_text()
    assert "accelerate launch --config_file {ROOT}/envs/accelerate/{config}.yaml --num_processes {devices}" in text
