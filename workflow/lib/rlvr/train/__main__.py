"""``python -m rlvr.train --spec S.json --base DIR --train train.parquet --out DIR``, also by ``accelerate launch``."""

from pathlib import Path
from typing import Annotated

import typer

from rlvr.core.errors import InputError
from rlvr.core.imports import collector_paused


def main(
    spec: Annotated[Path, typer.Option(help="Resolved settings of the run (JSON).")],
    base: Annotated[Path, typer.Option(help="Base model, Hugging Face layout.")],
    train: Annotated[Path, typer.Option(help="Training problems (Parquet).")],
    out: Annotated[Path, typer.Option(help="Folder of the run; holds its checkpoints while it trains.")],
    decomposition: Annotated[Path | None, typer.Option(help="Singular triples of the base (safetensors).")] = None,
    checkpoint_every_steps: Annotated[int | None, typer.Option(min=1, help="Over the spec's setting.")] = None,
) -> None:
    """Train one run and write its weights, metrics and manifest."""
    with collector_paused():
        from rlvr.train.run import train_run
        from rlvr.train.stopping import RunStopped

    try:
        train_run(spec, base, train, out, decomposition, checkpoint_every_steps)
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except RunStopped as stopped:
        typer.echo(f"{stopped}")
        raise typer.Exit(int(stopped.code or 0)) from stopped


if __name__ == "__main__":
    typer.run(main)
