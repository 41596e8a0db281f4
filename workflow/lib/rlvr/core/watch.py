"""``python -m rlvr.core.watch results/pocket``: lines on the terminal while a workflow works on a folder."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from rlvr.core.live import FINISHED, TRAINING, progress_line, read_states
from rlvr.core.stages import follow, progress_of, stages_line

LOOKS_S = 1.0  # how soon the end of the process that it stands beside is noticed


def main(
    results: Annotated[Path, typer.Argument(help="Folder of results of a scale, e.g. results/pocket.")],
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    beside: Annotated[int, typer.Option(help="Process whose end ends this one, too; 0 for none.")] = 0,
) -> None:
    """Say how far the workflow is, stage by stage, how fast training is, and how long each will still take.

    A line about the stages while a call of Snakemake goes on, one about the runs while any trains; only what changed.
    Ends when every run is finished and no call goes on, or with the process that it stands beside, whose call it shows.
    """
    calls, before = follow(results, since=time.time() if beside else 0.0), ["", ""]
    while True:
        states, call = read_states(results), calls.look()
        progress = None if call is None else progress_of(call)
        goes_on = progress is not None and progress.is_open and (bool(beside) or not progress.is_silent)
        lines = [stages_line(progress) if progress is not None else "", progress_line(states)]
        trains = any(state.status == TRAINING for state in states)
        for line, old, shown in zip(lines, before, (goes_on, trains), strict=True):
            if line and (once or (shown and line != old)):
                print(f"{time.strftime('%H:%M:%S')}  {results.name}: {line}", file=sys.stderr, flush=True)
        before = lines
        if once or (not beside and not goes_on and all(state.status == FINISHED for state in states)):
            return
        if not _waited(every, beside):
            return


def _waited(seconds: float, beside: int) -> bool:
    """Wait; at once false when the process that it stands beside ends."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if beside and not is_alive(beside):
            return False
        time.sleep(min(left, LOOKS_S))
    return not beside or is_alive(beside)


def is_alive(process: int) -> bool:
    """Whether a process of this machine is there; one of another user counts as there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    typer.run(main)
