"""A run on two processes against the same run on one: divided weights (FSDP2) and plain data parallelism, on CPUs."""

import socket
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_multi_gpu_env
from safetensors.torch import load_file
from sharded_run import main
from small_models import settings_of
from small_runs import forked, write_inputs
from torch import Tensor

from rlvr.core.io import read_json, write_json

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 2e-6  # of weights that moved by 1e-3: sums of float32 in another order
MOVED = 1e-4
SETTINGS = {"checkpoint_every_steps": 2, "max_completion_tokens": 12, "micro_batch_completions": 16, "kl_beta": 0.1}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def on_one(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The run of a method on one process, trained once."""
    folder = tmp_path_factory.mktemp("one")

    @cache
    def trained(method: str) -> Path:
        assert run_on(1, "", write_spec(folder, method, 1), str(inputs), str(folder / method)) == [0]
        return folder / method

    return trained


def started_by(config: str, processes: int) -> dict[str, str]:
    """The variables that accelerate makes of a configuration of the project for every process."""
    named = ["--config_file", str(ROOT / "envs/accelerate" / f"{config}.yaml"), "--num_processes", str(processes), "x"]
    arguments, _, _ = _validate_launch_command(launch_command_parser().parse_args(named))
    variables = prepare_multi_gpu_env(arguments)
    return {name: value for name, value in variables.items() if name.startswith(("FSDP_", "ACCELERATE_"))}


def run_on(processes: int, config: str, *arguments: str) -> list[int | None]:
    """Run ``sharded_run`` on so many processors and return how they ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"ACCELERATE_USE_CPU": "true"}
    if processes > 1:
        shared |= started_by(config, processes) | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        shared |= {"WORLD_SIZE": str(processes), "ACCELERATE_USE_CPU": "true"}
    ranks = [{"RANK": str(rank), "LOCAL_RANK": str(rank)} if processes > 1 else {} for rank in range(processes)]
    running = [forked(main, *arguments, **shared, **own) for own in ranks]
    try:
        for each in running:
            each.join(1500)
        return [each.exitcode for each in running]
    finally:
        for each in running:
            each.kill()


def weights(run: Path) -> dict[str, Tensor]:
    return {
        name: value
        for folder in ("adapter", "model")
        for path in (run / folder).glob("*.safetensors")
        for name, value in load_file(path).items()
    }


def largest_difference(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def write_spec(folder: Path, method: str, processes: int, **changes: Any) -> str:
    devices = {"devices": processes if processes > 1 else 0}
    path = folder / f"{method}-{processes}.json"
    write_json(settings_of(method).to_json() | {"run_id": method} | SETTINGS | devices | changes, path)
    return str(path)


@pytest.mark.parametrize(
    ("method", "config"),
    [
        ("full", "fsdp2"),
        ("lora", "ddp"),
        pytest.param("lora", "fsdp2", marks=pytest.mark.long),  # divided as every weight is, saved as under ddp
        pytest.param("adalora", "ddp", marks=pytest.mark.nightly),  # its state of ranks is written by one process
    ],
)
def test_two_processes_train_what_one_trains(
    tmp_path: Path, inputs: Path, on_one: Callable[[str], Path], method: str, config: str
) -> None:
    """The run on two is killed behind its second checkpoint and goes on from it."""
    one, two = on_one(method), tmp_path / "two"
    shared = write_spec(tmp_path, method, 2)
    assert run_on(2, config, shared, str(inputs), str(two), "4") == [9, 9]
    assert not (two / "run.json").exists()
    assert run_on(2, config, shared, str(inputs), str(two)) == [0, 0]
    run = read_json(two / "run.json")
    assert (run["resumed_from_step"], run["processes"]) == (4, 2)
    assert run["sharding"] == ("fsdp2" if config == "fsdp2" else None)
    assert largest_difference(weights(one), weights(two)) < TOLERANCE
    if method == "full":
        assert largest_difference(load_file(inputs / "base" / "model.safetensors"), weights(two)) > MOVED
    else:
        assert max(float(each.abs().max()) for name, each in weights(two).items() if "lora_B" in name) > MOVED
    columns = ["reward", "kl", "grad_norm", "entropy", "learning_rate", "zero_std_share"]
    logs = [pd.read_parquet(run / "metrics.parquet")[columns] for run in (one, two)]
    pd.testing.assert_frame_equal(*logs, rtol=1e-3, atol=1e-7)
