"""Runs that are killed at random moments, asked to stop, or started twice at once end in the same bits."""

import contextlib
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from small_models import settings_of
from small_runs import STEPS, forked, train, weights_of, write_inputs

from rlvr.core.io import read_json, read_table, write_json
from rlvr.core.provenance import LIBRARY
from rlvr.core.seals import seal
from rlvr.tables import METRICS
from rlvr.train.checkpoints import checkpoints, why_refused
from rlvr.train.run import train_run
from rlvr.train.stopping import STOPPED_STATUS

PATIENCE_S = 600  # on a busy machine
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
# Of PEFT's checkpoints, of a bare model, and with state of their own.
NIGHTLY = ("lora", "full", "dora", "quanta", "adalora", "pissa", "lora-plus", "sparse-random")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp("inputs"))


def spec_of(method: str, folder: Path, **changes: object) -> Path:
    short = {"run_id": method, "checkpoint_every_steps": 1, "max_completion_tokens": 12}
    write_json(settings_of(method).to_json() | short | changes, folder / f"{method}.json")
    return folder / f"{method}.json"


def start(spec: Path, inputs: Path, out: Path) -> None:
    """One run in a session of its own, quietly."""
    os.setsid()
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        train_run(spec, inputs / "base", inputs / "train.parquet", out)


def started(spec: Path, inputs: Path, out: Path) -> multiprocessing.process.BaseProcess:
    """A process that trains, forked from one that holds the library and nothing else."""
    return forked(start, spec, inputs, out)


def signal_group(process: multiprocessing.process.BaseProcess, number: signal.Signals) -> None:
    """What a scheduler does: a signal to the trainer and to all that it started."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:  # it has not come to its own session yet
        process.kill() if number == signal.SIGKILL else process.terminate()


def killed_until_finished(spec: Path, inputs: Path, out: Path, moments: list[float], numbers: list[int]) -> list[int]:
    """Start a run, end it after each of the moments, and let the last start finish; exit codes of all starts."""
    codes = []
    for moment, number in zip(moments, numbers, strict=True):
        process = started(spec, inputs, out)
        process.join(moment)
        if process.is_alive():
            signal_group(process, number)
        process.join(PATIENCE_S)
        codes.append(process.exitcode)
    last = started(spec, inputs, out)
    last.join(PATIENCE_S)
    return [*codes, last.exitcode]


def check_kills(
    method: str, inputs: Path, folder: Path, lineages: int, kills: int, seed: int, within: float = 0.8
) -> int:
    """Compare runs that were ended at random moments with an undisturbed one; the number of ends that struck.

    Moments lie ``within`` this share of the time that the undisturbed run took; another one may take less.
    """
    spec, draw, struck = spec_of(method, folder), random.Random(seed), 0
    forked(os.getpid).join()  # the process that runs are forked from has loaded the library then
    process, begun = started(spec, inputs, folder / "whole"), time.monotonic()
    process.join(PATIENCE_S)
    whole_s = time.monotonic() - begun
    expected = read_json(folder / "whole/run.json")
    rows = read_table(folder / "whole/metrics.parquet", METRICS).drop(columns="seconds")
    for lineage in range(lineages):
        out = folder / f"lineage-{lineage}"
        moments = [draw.uniform(0, within * whole_s) for _ in range(kills)]
        codes = killed_until_finished(spec, inputs, out, moments, [draw.choice(SIGNALS) for _ in moments])
        struck += sum(code != 0 for code in codes)
        assert codes[-1] == 0 and set(codes) <= {0, STOPPED_STATUS, -signal.SIGKILL, -signal.SIGTERM}, codes
        manifest = read_json(out / "run.json")
        assert manifest["sha256"] == expected["sha256"] and manifest["files"] == expected["files"], codes
        assert weights_of(out) == weights_of(folder / "whole")
        pd.testing.assert_frame_equal(read_table(out / "metrics.parquet", METRICS).drop(columns="seconds"), rows)
        assert not list(out.rglob("*.tmp")) and not (out / "checkpoints").exists()
    return struck


@pytest.mark.long  # one kill at a time of one method: test_training.py
def test_a_run_that_is_killed_at_random_moments_ends_in_the_same_bits(inputs, tmp_path):
    for within in (0.6, 0.3, 0.15):  # beside other work the undisturbed run may take many times as long as the others
        folder = tmp_path / str(within)
        folder.mkdir()
        if check_kills("lora", inputs, folder, lineages=1, kills=2, seed=0, within=within):
            return
    pytest.fail("every run had ended before it was to be killed")


@pytest.mark.nightly
@pytest.mark.parametrize("method", NIGHTLY)
def test_many_runs_that_are_killed_at_random_moments_end_in_the_same_bits(method, inputs, tmp_path):
    struck = check_kills(method, inputs, tmp_path, lineages=8, kills=3, seed=1)
    print(f"{method}: {struck} of 24 ends struck in 8 lineages")  # `pytest -rP` shows it
    assert struck > 8


def test_of_two_starts_of_one_run_the_second_is_refused_and_the_first_stops_behind_a_checkpoint(inputs, tmp_path):
    """The real entry point: a lock with the holder's name, and SIGTERM that saves and leaves with its own status."""
    spec, out = spec_of("lora", tmp_path, epochs=4), tmp_path / "run"  # asked to stop behind its first step of 24
    command = [sys.executable, "-m", "rlvr.train", "--spec", spec, "--base", inputs / "base"]
    command += ["--train", inputs / "train.parquet", "--out", out, "--checkpoint-every-steps", "1000"]
    env = {**os.environ, "PYTHONPATH": str(LIBRARY), "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    lines = iter(first.stdout.readline, "")
    while not any(line.startswith("step ") for line in lines):
        assert first.poll() is None
    first.send_signal(signal.SIGSTOP)  # or a busy machine could let it finish before the second has begun
    try:
        second = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    finally:
        first.send_signal(signal.SIGCONT)
    assert second.returncode == 1 and f"is being written by process {first.pid} on " in second.stderr
    first.send_signal(signal.SIGTERM)
    printed, _ = first.communicate(timeout=60)
    assert first.returncode == STOPPED_STATUS, printed
    assert "stopped by SIGTERM behind step" in printed and not (out / "run.json").exists()
    (saved,) = checkpoints(out / "checkpoints")
    facts = read_json(saved / "seal.json")["facts"]
    assert why_refused(saved, facts) is None and 0 < facts["step"] < 4 * STEPS
    manifest = train(spec, inputs, out)
    assert manifest["resumed_from_step"] == facts["step"]
    assert manifest["sha256"] == train(spec, inputs, tmp_path / "whole")["sha256"]


@pytest.mark.parametrize("updates", [2, 3])
def test_a_run_stops_at_the_border_of_a_generation_only(updates, inputs, tmp_path, monkeypatch):
    spec, out = spec_of("lora", tmp_path, epochs=3, updates_per_generation=updates), tmp_path / "run"
    step = ask_at(1, monkeypatch)
    with pytest.raises(SystemExit) as stopped:
        train(spec, inputs, out)
    assert stopped.value.code == STOPPED_STATUS and "stopped by SIGTERM" in str(stopped.value)
    assert [path.name for path in checkpoints(out / "checkpoints")] == [f"checkpoint-{updates}"]
    step.undo()
    assert train(spec, inputs, out)["sha256"] == train(spec, inputs, tmp_path / "whole")["sha256"]


def test_a_run_that_is_asked_to_stop_in_its_last_step_finishes(inputs, tmp_path, monkeypatch):
    ask_at(STEPS - 1, monkeypatch)
    assert train(spec_of("lora", tmp_path), inputs, tmp_path / "run")["steps"] == STEPS


class Hostile:
    """A pickle that leaves a mark when it is opened."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin"])
def test_a_hostile_pickle_in_a_sealed_checkpoint_runs_no_code(name, inputs, tmp_path, monkeypatch):
    """Somebody who hands a checkpoint around can forge its seal."""
    spec, out, mark = spec_of("lora", tmp_path), tmp_path / "run", tmp_path / "mark"
    ask_at(1, monkeypatch)
    with pytest.raises(SystemExit):
        train(spec, inputs, out)
    (saved,) = checkpoints(out / "checkpoints")
    facts = read_json(saved / "seal.json")["facts"]
    assert (saved / name).is_file()
    (saved / name).write_bytes(pickle.dumps(Hostile(mark)))
    seal(saved, facts)
    with contextlib.suppress(pickle.UnpicklingError, RuntimeError):  # not read, or refused by torch
        train(spec, inputs, out)
    assert not mark.exists()


def ask_at(step, monkeypatch):
    """Send this process SIGTERM once, while it does an optimizer step."""
    from rlvr.train.trainer import Trainer

    usual, sent = Trainer.training_step, []

    def training_step(self, *given):
        if self.state.global_step == step and not sent:
            sent.append(True)
            os.kill(os.getpid(), signal.SIGTERM)
        return usual(self, *given)

    monkeypatch.setattr(Trainer, "training_step", training_step)
    return monkeypatch
