"""Checkpoints of a run in progress: which one to resume from, and which to throw away."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlvr.core.io import read_json, write_json

NAME = re.compile(r"checkpoint-(\d+)")
WRITTEN_LAST = "trainer_state.json"
ORIGIN = "origin.json"


def resumable_checkpoint(folder: Path, origin: Mapping[str, Any]) -> Path | None:
    """The checkpoint that a run may go on from, or ``None``.

    Args:
        folder: Checkpoints of the run; emptied if they come from other settings, base or problems.
        origin: What the run depends on; kept beside the checkpoints.
    """
    if any(folder.glob("checkpoint-*")) and _read_origin(folder) != origin:
        print(f"{folder.name}: made with other settings or inputs, starting anew", flush=True)
        shutil.rmtree(folder)
    write_json(dict(origin), folder / ORIGIN)
    return last_complete_checkpoint(folder)


def last_complete_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end, or ``None``.

    The trainer writes ``trainer_state.json`` after everything else; a checkpoint without a readable one belongs to a
    run that was killed while it wrote.
    """
    found = {step: path for path in folder.glob("checkpoint-*") if (step := checkpoint_step(path)) is not None}
    for step in sorted(found, reverse=True):
        if _is_complete(found[step]):
            return found[step]
    return None


def checkpoint_step(path: Path) -> int | None:
    """Optimizer steps done at a checkpoint, from its name."""
    match = NAME.fullmatch(path.name)
    return int(match[1]) if match else None


def _read_origin(folder: Path) -> Any:
    return read_json(folder / ORIGIN) if (folder / ORIGIN).is_file() else None


def _is_complete(path: Path) -> bool:
    try:
        state = json.loads((path / WRITTEN_LAST).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return bool(state["global_step"] == checkpoint_step(path))
