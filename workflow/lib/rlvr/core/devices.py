"""``python -m rlvr.core.devices <count> <listed> <log> <command> ...``: a command with GPUs of this machine to itself.

Without a scheduler nobody says which card a job may use. Here a job takes them: one lock file per card below a folder
of this machine, tried in order under one lock, all that it needs or none. A lock is the kernel's (flock): it ends with
the last process that holds the file open, whatever ends that.
"""

import fcntl
import getpass
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from rlvr.core import refusals
from rlvr.core.errors import InputError
from rlvr.core.joblog import announce
from rlvr.core.locks import JOB_VARIABLE
from rlvr.core.nodes import make_own

ALL, VISIBLE = "all", "CUDA_VISIBLE_DEVICES"
ASK_EVERY_S = 0.5
KEY = "configuration, key 'gpus'"


def hold_devices(count: int, listed: str, folder: Path | None = None) -> list[str]:
    """Take cards for the rest of this process and show it no others; wait until enough of them are free.

    To be called before a library looks for cards. A program that this process becomes keeps them.

    Args:
        count: How many; nothing happens for 0.
        listed: Indices or UUIDs, separated by commas; ``all`` for those that `CUDA_VISIBLE_DEVICES` shows or, where it
            is not set, for as many as the driver lists. Nothing happens for ``""``: a scheduler assigns cards.
        folder: Of the lock files. By default all calls of this user on this machine meet, whatever their TMPDIR; those
            within a job of Slurm, which may have numbers of its own, among themselves.

    Returns:
        The cards, as they were listed.

    Raises:
        InputError: If there are fewer cards than the job needs, or a listed one is hidden from this process.
    """
    if not count or not listed:
        return []
    cards = known_devices(listed)
    if len(cards) < count:
        remedy = "Give training and sampling fewer in `resources` of the scale, or name more cards."
        raise InputError(KEY, f"a job needs {count} GPUs, and jobs may take: {', '.join(cards) or 'none'}.", remedy)
    own = ("rlvr-gpus", getpass.getuser(), os.environ.get(JOB_VARIABLE, ""))
    folder = folder or Path("/tmp", "-".join(filter(None, own)))
    make_own(folder)
    taken = _take(cards, count, folder)
    if not taken:
        announce(f"Waiting for {count} of the GPUs {', '.join(cards)}: other jobs hold them.")
    while not taken:
        time.sleep(ASK_EVERY_S)
        taken = _take(cards, count, folder)
    os.environ[VISIBLE] = ",".join(taken)
    announce(f"{VISIBLE}={os.environ[VISIBLE]}")
    return taken


def known_devices(listed: str) -> list[str]:
    """The cards that jobs may take, each once.

    Raises:
        InputError: If a card that is listed is hidden from this process, or the driver lists none.
    """
    shown, named = (_split(text) for text in (os.environ.get(VISIBLE, ""), listed))
    if VISIBLE in os.environ:
        if listed != ALL and (hidden := [each for each in named if each not in shown]):
            problem = f"{', '.join(hidden)}: hidden by {VISIBLE}={os.environ[VISIBLE]}."
            raise InputError(KEY, problem, f"Name cards that it shows, or '{ALL}'.")
        return shown if listed == ALL else named
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # the order of the driver's list
    if listed != ALL:
        return named
    program = shutil.which("nvidia-smi")
    done = program and subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines() if done and done.returncode == 0 else []
    count = sum(line.startswith("GPU ") for line in lines)
    if not count:
        remedy = f"Name the cards (`gpus: '0,1'`), or set {VISIBLE}."
        raise InputError(KEY, "nvidia-smi lists no GPU on this machine.", remedy)
    return [str(index) for index in range(count)]


def _split(text: str) -> list[str]:
    return list(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))


def _take(cards: Sequence[str], count: int, folder: Path) -> list[str]:
    """Cards of which this process, and whatever it becomes, now holds the locks; none unless there are enough."""
    with (folder / "taking").open("a") as taking:
        fcntl.flock(taking, fcntl.LOCK_EX)
        held: dict[str, int] = {}
        for card in cards:
            lock = os.open(folder / f"{quote(card, safe='')}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held[card] = lock
            except BlockingIOError:
                os.close(lock)
            if len(held) == count:
                break
        if len(held) == count:
            for lock in held.values():
                os.set_inheritable(lock, True)
            return list(held)
        for lock in held.values():
            os.close(lock)
    return []


if __name__ == "__main__":
    try:
        hold_devices(int(sys.argv[1]), sys.argv[2])
    except InputError as error:
        refusals.note(sys.argv[3], error)
        sys.exit(f"InputError: {error}")
    os.execvp(sys.argv[4], sys.argv[4:])
