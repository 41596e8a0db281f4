"""``python -m rlvr.train --spec S.json --base DIR --train train.parquet --out DIR``, also by ``accelerate launch``."""

import traceback
from pathlib import Path
from typing import Annotated

import typer

from rlvr.core import refusals
from rlvr.core.errors import InputError
from rlvr.core.imports import collector_paused
from rlvr.core.locks import Busy
from rlvr.core.writable import explained


def main(
    spec: Annotated[Path, typer.Option(help="Resolved settings of the run (JSON).")],
    base: Annotated[Path, typer.Option(help="Base model, Hugging Face layout.")],
    train: Annotated[Path, typer.Option(help="Training problems (Parquet).")],
    out: Annotated[Path, typer.Option(help="Folder of the run; holds its checkpoints while it trains.")],
    decomposition: Annotated[Path | None, typer.Option(help="Singular triples of the base (safetensors).")] = None,
    checkpoint_every_steps: Annotated[int | None, typer.Option(min=1, help="Over the spec's setting.")] = None,
    log: Annotated[Path | None, typer.Option(help="Of the job; an error that would come again is noted there.")] = None,
) -> None:
    """Train one run and write its weights, metrics and manifest.

    An error that would come again ends with status 65, and with a note beside the log for whoever retries.
    """
    if log is not None:
        refusals.forget(log)
    try:
        with collector_paused():
            from rlvr.train.run import train_run
            from rlvr.train.stopping import RunStopped
        train_run(spec, base, train, out, decomposition, checkpoint_every_steps)
    except Busy as busy:
        typer.echo(f"error: {busy}", err=True)
        raise typer.Exit(1) from busy
    except Exception as error:
        told = explained(error, out)
        is_lasting = refusals.is_lasting(told)
        if not is_lasting and told is error:
            raise
        if is_lasting and log is not None:
            refusals.note(log, told)
        if told is error and not isinstance(error, InputError):
            traceback.print_exc()
        typer.echo(f"error: {told}", err=True)
        raise typer.Exit(refusals.STATUS if is_lasting else 1) from error
    except RunStopped as stopped:
        typer.echo(f"{stopped}")
        raise typer.Exit(int(stopped.code or 0)) from stopped


if __name__ == "__main__":
    typer.run(main)
