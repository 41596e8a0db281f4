"""``python -m rlvr.core.watch results/pocket``: a line on the terminal while the runs of a folder train."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from rlvr.core.live import FINISHED, TRAINING, progress_line, read_states


def main(
    results: Annotated[Path, typer.Argument(help="Folder of results of a scale, e.g. results/pocket.")],
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two lines.")] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="Print one line and end.")] = False,
    beside: Annotated[int, typer.Option(help="Process whose end ends this one, too; 0 for none.")] = 0,
) -> None:
    """Say how many runs and steps are done, how fast training is, and how long it will still take.

    Ends when every run is finished, or with the process that it stands beside.
    """
    before = ""
    while True:
        states = read_states(results)
        line = progress_line(states)
        if once or (line != before and any(state.status == TRAINING for state in states)):
            print(f"{time.strftime('%H:%M:%S')}  {results.name}: {line}", file=sys.stderr, flush=True)
        before = line
        if once or (beside and not is_alive(beside)):
            return
        if not beside and all(state.status == FINISHED for state in states):
            return
        time.sleep(every)


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
