"""Checkpoints of a run in progress: sealed when whole, resumed only when whole and this run's own."""

import errno
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from rlvr.core.errors import InputError
from rlvr.core.seals import break_seal, seal, sealed_facts
from rlvr.plan.freshness import find_differences
from rlvr.plan.settings import TrainSettings

NAME = re.compile(r"checkpoint-(\d+)")
STEP = "step"
SAVE_EVERY_S = 600.0  # ASSUME: what a kill may cost is ten minutes of training, not a number of steps


class SealedCheckpoints(TrainerCallback):
    """Seals each checkpoint once every process has written its part, then removes the older ones.

    Until then the one before stays, whole: a kill at any moment leaves at least one to go on from.

    A checkpoint is due after ``checkpoint_every_steps``, and also ``SAVE_EVERY_S`` after the one before, always at the
    border of a generation: a resumed run starts with a new one.

    Attributes:
        folder: Checkpoints of the run.
        origin: What the run depends on: ``settings`` and ``inputs``.
        updates_per_generation: Of the settings.
    """

    def __init__(self, folder: Path, origin: Mapping[str, Any], settings: TrainSettings) -> None:
        self.folder, self.origin = folder, origin
        self.updates_per_generation, self.saved_at = settings.updates_per_generation, time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Ask for a checkpoint where the last one is too long ago."""
        if state.global_step % self.updates_per_generation == 0 and self._is_due():
            control.should_save = True
        return control

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Seal what was just saved."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.barrier()
        self.saved_at = time.monotonic()
        if not state.is_world_process_zero:
            return
        newest = self.folder / f"checkpoint-{state.global_step}"
        seal(newest, {**self.origin, STEP: state.global_step})
        for path in checkpoints(self.folder):
            if path != newest:
                discard(path)

    def _is_due(self) -> bool:
        """Whether the last checkpoint is too long ago, by the clock of the first process where there are several."""
        passed = time.monotonic() - self.saved_at
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            clock = [passed]
            torch.distributed.broadcast_object_list(clock, src=0)
            passed = clock[0]
        return passed > SAVE_EVERY_S


def check_room(folder: Path) -> None:
    """Check that a checkpoint as large as the newest one finds space, before half of another one fills the disk.

    Raises:
        OSError: If it does not; a retry goes on from the checkpoint that is there.
    """
    newest = next(iter(checkpoints(folder)), None)
    if newest is None:
        return
    wanted = sum(path.stat().st_size for path in newest.rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    if free < wanted:
        needs = f"No space left for a checkpoint: it takes {wanted:,} bytes, {free:,} are free"
        raise OSError(errno.ENOSPC, needs, str(folder))


def resumable_checkpoint(folder: Path, origin: Mapping[str, Any]) -> Path | None:
    """The newest whole checkpoint of the run, or ``None``; those that are refused are named and removed.

    Args:
        folder: Checkpoints of the run.
        origin: What the run depends on: ``settings`` and ``inputs``.
    """
    found = checkpoints(folder)
    for path in found:
        reason = why_refused(path, origin)
        if reason is None:
            return path
        print(f"{path.name}: refused: {reason}", flush=True)
        discard(path)
    if found:
        print("WARNING: no checkpoint can be used; this run starts anew from step 0", flush=True)
    return None


def why_refused(path: Path, origin: Mapping[str, Any]) -> str | None:
    """Why a checkpoint is no part of this run, in words; ``None`` if it is one and whole."""
    try:
        facts = sealed_facts(path)
    except InputError as error:
        return f"{error.problem}"
    if differences := find_differences(facts.get("settings", {}), origin["settings"]):
        return f"made with other settings: {'; '.join(differences)}."
    if differences := find_differences(facts.get("inputs", {}), origin["inputs"]):
        return f"made with other inputs: {'; '.join(differences)}."
    if facts.get(STEP) != checkpoint_step(path):
        return f"its name says step {checkpoint_step(path)}, its seal {facts.get(STEP)}."
    return None


def checkpoints(folder: Path) -> list[Path]:
    """All checkpoints of a folder, whole or not, the newest first."""
    found = {path: step for path in folder.glob("checkpoint-*") if (step := checkpoint_step(path)) is not None}
    return sorted(found, key=lambda path: -found[path])


def checkpoint_step(path: Path) -> int | None:
    """Optimizer steps done at a checkpoint, from its name."""
    match = NAME.fullmatch(path.name)
    return int(match[1]) if match else None


def discard(path: Path) -> None:
    """Remove a checkpoint; a kill on the way leaves one without a seal, which nobody takes for whole."""
    break_seal(path)
    shutil.rmtree(path)


def discard_all(folder: Path) -> None:
    """Remove every checkpoint of a finished run, and their folder."""
    shutil.rmtree(folder, ignore_errors=True)
