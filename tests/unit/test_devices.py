"""Cards of this machine that jobs take by themselves: pretended ones, real locks and processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rlvr.core import devices, refusals
from rlvr.core.errors import InputError

LIBRARY = Path(__file__).resolve().parents[2] / "workflow" / "lib"
HOLDS = "from rlvr.core.devices import *; import sys; hold_devices(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))"
SAYS = "import time, sys, os; say = lambda word: os.write(1, f'{word} {time.monotonic()}\\n'.encode())"
PAUSE_S = 0.15
USES = f"{HOLDS}; {SAYS}; say('from'); time.sleep({PAUSE_S}); say('to')"
WAITS = f"{HOLDS}; {SAYS}; say('holds'); time.sleep(60)"


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine of these tests shows, and what is set here, decides nothing."""
    for name in (devices.VISIBLE, "CUDA_DEVICE_ORDER"):
        monkeypatch.setenv(name, "")  # taken back behind the test, whatever the test sets
        monkeypatch.delenv(name)


def started(program: str, count: int, listed: str, folder: Path) -> "subprocess.Popen[str]":
    """A process that takes cards."""
    env = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    command = [sys.executable, "-c", program, str(count), listed, str(folder)]
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def used(process: "subprocess.Popen[str]") -> tuple[set[str], float, float]:
    """The cards of a process that has ended well, and from when to when it had them."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    shown = next(line for line in err.splitlines() if line.startswith(devices.VISIBLE)).partition("=")[2]
    (_, first), (_, last) = (line.split() for line in out.splitlines())
    return set(shown.split(",")), float(first), float(last)


def test_no_two_processes_have_a_card_at_once_and_none_waits_for_ever(tmp_path: Path) -> None:
    """Jobs of one, two and three cards on three cards, which each of them lists in an order of its own."""
    lists = ["0,1,2", "2,0,1", "1,2,0", "2,1,0"]
    jobs = [started(USES, 1 + number % 3, lists[number % 4], tmp_path) for number in range(9)]
    found = [used(job) for job in jobs]
    assert sorted(len(cards) for cards, _, _ in found) == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    for number, (cards, first, last) in enumerate(found):
        for others, begin, end in found[:number]:
            assert not cards & others or last <= begin or end <= first
    busy = sum((last - first) * len(cards) for cards, first, last in found)
    assert busy >= 9 * 2 * PAUSE_S, "nothing was held"


def test_a_killed_holder_frees_its_card_and_its_program_kept_it(tmp_path: Path) -> None:
    becomes = f"{HOLDS}; import os; print('holds', flush=True); os.execvp('sleep', ['sleep', '60'])"
    holder = started(becomes, 1, "0", tmp_path)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "holds\n"
        waits = started(USES, 1, "0", tmp_path)
        assert waits.stderr is not None and "Waiting for 1 of the GPUs 0" in waits.stderr.readline()
        assert waits.poll() is None
        before = time.monotonic()
        holder.send_signal(signal.SIGKILL)
        cards, first, _ = used(waits)
        assert (cards, first > before) == ({"0"}, True)
    finally:
        holder.kill()
        holder.communicate()


def test_who_lacks_a_card_keeps_none_of_the_others(tmp_path: Path) -> None:
    holder = started(WAITS, 1, "0", tmp_path)
    assert holder.stdout is not None and holder.stdout.readline().startswith("holds")
    both = started(USES, 2, "0,1", tmp_path)
    try:
        assert both.stderr is not None and both.stderr.readline().startswith("Waiting for 2")
        assert used(started(USES, 1, "0,1", tmp_path))[0] == {"1"}
        assert both.poll() is None
        holder.kill()
        assert used(both)[0] == {"0", "1"}
    finally:
        for each in (holder, both):
            each.kill()
            each.communicate()


def test_nothing_is_taken_where_nobody_asks(tmp_path: Path) -> None:
    assert devices.hold_devices(0, "all", tmp_path / "new") == devices.hold_devices(2, "", tmp_path / "new") == []
    assert devices.VISIBLE not in os.environ and not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("shown", "listed", "known"),
    [
        ("3,1", "all", ["3", "1"]),
        ("GPU-aa, GPU-bb", "all", ["GPU-aa", "GPU-bb"]),
        ("GPU-aa,GPU-bb,MIG-GPU-c/1/0", "MIG-GPU-c/1/0,GPU-aa", ["MIG-GPU-c/1/0", "GPU-aa"]),
        ("0,0,1", "all", ["0", "1"]),
        ("", "all", []),
        (None, "5, 7,5", ["5", "7"]),
    ],
)
def test_cards_are_those_that_are_shown_and_listed(monkeypatch: pytest.MonkeyPatch, shown, listed, known) -> None:
    if shown is not None:
        monkeypatch.setenv(devices.VISIBLE, shown)
    assert devices.known_devices(listed) == known


def test_a_job_that_needs_more_than_there_are_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(devices.VISIBLE, "GPU-aa")
    with pytest.raises(InputError, match="a job needs 2 GPUs, and jobs may take: GPU-aa"):
        devices.hold_devices(2, "all", tmp_path)
    with pytest.raises(InputError, match="GPU-bb: hidden by CUDA_VISIBLE_DEVICES=GPU-aa"):
        devices.hold_devices(1, "GPU-bb", tmp_path)
    log = tmp_path / "a.log"
    command = [sys.executable, "-m", "rlvr.core.devices", "2", "all", str(log), "true"]
    env = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith("InputError: configuration, key 'gpus'"), done.stderr
    assert refusals.is_refused([log]), "it would be started again"


def test_the_driver_is_asked_how_many_there_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="nvidia-smi lists no GPU"):
        devices.known_devices("all")
    program = tmp_path / "nvidia-smi"
    lines = [f"GPU {index}: NVIDIA H100 (UUID: GPU-{index})" for index in range(3)]
    program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in [*lines, "  MIG 1g.10gb Device 0: x"]))
    program.chmod(0o755)
    assert devices.known_devices("all") == ["0", "1", "2"]
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    program.write_text("#!/bin/sh\nexit 9\n")
    with pytest.raises(InputError, match="nvidia-smi lists no GPU"):
        devices.known_devices("all")
