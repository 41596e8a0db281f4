"""Checkpoints of a run in progress: which one to resume from, and when they may go."""

import json
import re
from pathlib import Path

NAME = re.compile(r"checkpoint-(\d+)")
WRITTEN_LAST = "trainer_state.json"


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


def _is_complete(path: Path) -> bool:
    try:
        state = json.loads((path / WRITTEN_LAST).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return state["global_step"] == checkpoint_step(path)
