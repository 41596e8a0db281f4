"""A small grid, driven through the profile of a cluster."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import Checkout, copy_code

RUNS = (
    "qwen3-8b_deepmath-hard_lora-r8_bs64_s42",
    "qwen3-8b_deepmath-hard_quanta-d3-no-kv_bs64_s42",
    "llama-3.1-8b_math_quanta-d3-no-kv-constant_bs64_s42",
)
MODULES = Path("/etc/profile.d/modules.sh")
QUICK = [  # the profile with polls for a test, and with a small grid
    *("--jobs", "4", "--latency-wait", "5", "--max-status-checks-per-second", "1"),
    *("--slurm-init-seconds-before-status-checks", "4"),
    *("--config", "scale=tiny", "engine=transformers"),
]


class Project:
    """A copy of the workflow with a grid of three runs, driven through the profile."""

    def __init__(self, checkout: Checkout) -> None:
        self.root, self.checkout = checkout.root, checkout

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "snakemake", "--profile", "slurm", *arguments, *QUICK]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a driver in a session of its own."""
        options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "start_new_session": True}
        options["preexec_fn"] = hear_hangups
        return subprocess.Popen(self.command(*arguments), cwd=self.root, env=environment(), text=True, **options)

    def run(self, *arguments: str, seconds: int = 900) -> str:
        """Run a driver to its end, which must be a good one."""
        driver = self.start(*arguments)
        out, _ = driver.communicate(timeout=seconds)
        assert driver.returncode == 0, out
        return out

    def unlock(self) -> None:
        """Take the lock of a killed driver away."""
        done = subprocess.run(
            self.command("--unlock"), cwd=self.root, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def manifest(self, run_id: str) -> Path:
        """The file that a finished run writes last."""
        return self.root / "results" / "tiny" / "train" / run_id / "run.json"

    def weights(self, run_id: str) -> dict[str, str]:
        """SHA-256 of a finished run's weight files."""
        files = sorted((self.manifest(run_id).parent / "adapter").glob("*.safetensors"))
        assert files, run_id
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def log(self, run_id: str) -> str:
        """What the last training job of a run printed."""
        return (self.root / f"results/tiny/logs/train_run/{run_id}.log").read_text()


def hear_hangups() -> None:
    """Let a driver end where its connection drops, although the tests may have been started by `nohup`."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def environment() -> dict[str, str]:
    """The shell of a user: the command `module` is a function that every shell has."""
    found = {**os.environ, "OMP_NUM_THREADS": "1"}
    if MODULES.exists():
        command = ["bash", "-c", f"source {MODULES}; env -0"]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        found |= dict(line.split("=", 1) for line in lines if "=" in line)
    return found


def make_project(root: Path, steps: int = 2) -> Project:
    """A copy of the workflow with three runs of some optimizer steps and eight problems to evaluate on."""
    checkout = copy_code(root)
    shutil.rmtree(root / ".venv", ignore_errors=True)
    (root / ".venv").symlink_to(Path(sys.prefix))
    if not MODULES.exists():  # jobs run in what submits them
        checkout.edit("profiles/slurm/profile.yaml", "software-deployment-method", "#")
    rows = checkout.read_grid()
    checkout.write_grid([{**row, "tier": "core" if row["run_id"] in RUNS else "full"} for row in rows])
    checkout.edit_scale(
        datasets__math__eval_problems=8,
        datasets__math__max_train_problems=8 * steps,
        **{"datasets__deepmath-hard__eval_problems": 8},
        **{"datasets__deepmath-hard__max_train_problems": 8 * steps},
        **{"datasets__aime-2025-2026__synthetic_rows": 4},
        caps__max_steps=steps,
        sampling__default__samples_per_problem=2,
    )
    return Project(checkout)
